# Finds nlohmann_json, which brings a CMake package of its own, unless the project has its target already.
# Sets hubbub_nlohmann_json_FOUND, hubbub_nlohmann_json_REASON and hubbub_nlohmann_json_LEAST, the oldest version that has what
# hubbub uses.

set(hubbub_nlohmann_json_LEAST 3.9)
set(hubbub_nlohmann_json_FOUND TRUE)
set(hubbub_nlohmann_json_REASON "")
if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json ${hubbub_nlohmann_json_LEAST} CONFIG QUIET)
    if(NOT nlohmann_json_FOUND)
        set(hubbub_nlohmann_json_FOUND FALSE)
        set(hubbub_nlohmann_json_REASON
            "nlohmann_json ${hubbub_nlohmann_json_LEAST} was not found: install nlohmann-json3-dev or set nlohmann_json_DIR")
    endif()
endif()
