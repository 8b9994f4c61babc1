# FetchContent, from a repository on this machine that is made of the source tree as it is.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(repository "${work}/repository")
foreach(part IN ITEMS CMakeLists.txt LICENSE cmake include)  # the rest is not needed by a user
    file(COPY "${HUBBUB_SOURCE}/${part}" DESTINATION "${repository}")
endforeach()
set(ENV{GIT_CONFIG_GLOBAL} /dev/null)
set(ENV{GIT_CONFIG_NOSYSTEM} 1)
set(git "${GIT}" -C "${repository}" -c user.name=test -c user.email=test@localhost -c init.defaultBranch=main)
run(${git} init --quiet)
run(${git} add --all)
run(${git} commit --quiet --message "all")
execute_process(COMMAND ${git} rev-parse HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE)

build_project("${work}/build" "-DWAY=FetchContent" "-DREPOSITORY=file://${repository}" "-DCOMMIT=${commit}" "-DUSED=tcp")
