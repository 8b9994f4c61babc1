# Flags of our own tests, examples and benchmarks. None of them reaches a user of the library.

add_library(hubbub_warnings INTERFACE)
target_compile_options(hubbub_warnings INTERFACE
    $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>)
if(HUBBUB_WERROR)
    target_compile_options(hubbub_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Werror>)
endif()

if(HUBBUB_SANITIZE)
    set(_flags -fsanitize=${HUBBUB_SANITIZE} -fno-omit-frame-pointer)
    if(HUBBUB_SANITIZE MATCHES "undefined")
        list(APPEND _flags -fno-sanitize-recover=undefined)
    endif()
    target_compile_options(hubbub_warnings INTERFACE ${_flags})
    target_link_options(hubbub_warnings INTERFACE ${_flags})
endif()
