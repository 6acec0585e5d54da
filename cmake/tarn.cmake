# How a room is built. One room is one folder under src/, one static library tarn_<room>, one test
# program <room>_test made of every *_test.cc beside the code.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)

find_program(TARN_CCACHE ccache)
if(TARN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${TARN_CCACHE})
endif()

# Rooms in order: a room may use those before it that it names in DEPENDS, never one after it.
# tests/arrows.sh checks the includes against the same arrows.
set(TARN_ROOMS base diag store exec pgp solve git project spec render release upstream distgit rpm
               import repo build kiwi oci selinux efi verity evidence image inspect emulator vm
               workspace cli)

add_library(tarn_options INTERFACE)
target_compile_options(tarn_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -fno-strict-overflow -fstack-protector-strong)
target_compile_definitions(tarn_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_include_directories(tarn_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(TARN_WERROR)
    target_compile_options(tarn_options INTERFACE -Werror)
endif()
if(TARN_SANITIZE)
    target_compile_options(tarn_options INTERFACE -fsanitize=${TARN_SANITIZE}
                           -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(tarn_options INTERFACE -fsanitize=${TARN_SANITIZE})
endif()
if(TARN_FUZZ)
    target_compile_options(tarn_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tarn_room(<name> DEPENDS <rooms>... PKGS <pkg-config names>... LIBS <targets or libraries>...)
function(tarn_room name)
    cmake_parse_arguments(R "" "" "DEPENDS;PKGS;LIBS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
    if(NOT sources)
        message(STATUS "room ${name} has no sources yet")
        return()
    endif()
    add_library(tarn_${name} STATIC ${sources})
    target_link_libraries(tarn_${name} PUBLIC tarn_options fmt::fmt Threads::Threads)
    foreach(dep IN LISTS R_DEPENDS)
        target_link_libraries(tarn_${name} PUBLIC tarn_${dep})
    endforeach()
    foreach(pkg IN LISTS R_PKGS)
        pkg_check_modules(${pkg} REQUIRED IMPORTED_TARGET ${pkg})
        target_link_libraries(tarn_${name} PRIVATE PkgConfig::${pkg})
    endforeach()
    target_link_libraries(tarn_${name} PRIVATE ${R_LIBS})
    if(tests AND NOT TARN_FUZZ)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE tarn_${name} GTest::gtest GTest::gmock
                              GTest::gtest_main)
        target_compile_definitions(${name}_test PRIVATE
            TARN_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TARN_BINARY_DIR="${CMAKE_BINARY_DIR}")
        foreach(pkg IN LISTS R_PKGS)
            target_link_libraries(${name}_test PRIVATE PkgConfig::${pkg})
        endforeach()
        target_link_libraries(${name}_test PRIVATE ${R_LIBS})
        add_test(NAME ${name} COMMAND ${name}_test)
        set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
        if(TARN_SANITIZE MATCHES "address")
            set_tests_properties(${name} PROPERTIES ENVIRONMENT
                "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp")
        elseif(TARN_SANITIZE MATCHES "thread")
            set_tests_properties(${name} PROPERTIES ENVIRONMENT
                "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
        endif()
    endif()
endfunction()
