# Finds spdlog, which brings a CMake package of its own, unless the project has its target already.
# Sets hubbub_spdlog_FOUND, hubbub_spdlog_REASON and hubbub_spdlog_LEAST, the oldest version that has what hubbub uses.

set(hubbub_spdlog_LEAST 1.5)
set(hubbub_spdlog_FOUND TRUE)
set(hubbub_spdlog_REASON "")
if(NOT TARGET spdlog::spdlog)
    find_package(spdlog ${hubbub_spdlog_LEAST} CONFIG QUIET)
    if(NOT spdlog_FOUND)
        set(hubbub_spdlog_FOUND FALSE)
        set(hubbub_spdlog_REASON "spdlog ${hubbub_spdlog_LEAST} was not found: install libspdlog-dev or set spdlog_DIR")
    endif()
endif()
