# How the project builds: its options, its warnings, and functions the folders use:
# i3d_noun() makes a part of the library, i3d_plugin() a plug-in, i3d_test() a unit test,
# i3d_test_processes() one of several processes, i3d_optional() finds a library.
include(GNUInstallDirs)
include(CheckCCompilerFlag)
option(I3D_NETWORK_ONLY "build the engines and their benches alone: needs no library but an engine's" OFF)
if(NOT I3D_NETWORK_ONLY)
    find_package(PkgConfig REQUIRED)
endif()
# Where scripts/install_onnxruntime.sh puts what Debian 12 lacks.
list(APPEND CMAKE_PREFIX_PATH ${PROJECT_SOURCE_DIR}/build/onnxruntime)
find_package(Threads REQUIRED)

option(I3D_TESTS "build the tests (needs cmocka)" ON)
option(I3D_WERROR "turn warnings into errors" OFF)
option(I3D_COVERAGE "measure line coverage" OFF)
option(I3D_FUZZ "build the libFuzzer targets (needs clang)" OFF)
set(I3D_SANITIZE "" CACHE STRING "sanitizers, as in -fsanitize=")
foreach(lib FFMPEG JPEG ONEDNN ONNXRUNTIME CUDA OPENMPI MPICH)
    set(I3D_${lib} AUTO CACHE STRING "build with ${lib}: AUTO, ON or OFF")
endforeach()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O3 -g")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
                    -Wmissing-prototypes -Wvla)
# snprintf cuts on purpose here: an error sentence may end early, it may not overflow.
check_c_compiler_flag(-Wformat-truncation I3D_KNOWS_FORMAT_TRUNCATION)
if(I3D_KNOWS_FORMAT_TRUNCATION)
    add_compile_options(-Wno-format-truncation)
endif()
# The same arithmetic in every build: a fused multiply-add is written where it is wanted.
add_compile_options(-ffp-contract=off)
if(I3D_WERROR)
    add_compile_options(-Werror)
endif()
if(I3D_SANITIZE)
    add_compile_options(-fsanitize=${I3D_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${I3D_SANITIZE})
endif()
if(I3D_COVERAGE)
    # Threads count too; -Og because counted loops without it take minutes.
    add_compile_options(--coverage -fprofile-update=atomic -Og)
    add_link_options(--coverage)
endif()

# i3d_optional(FFMPEG libavformat libavcodec ...): pkg-config modules as target i3d::FFMPEG;
# sets I3D_HAVE_FFMPEG for the folder that asks.
function(i3d_optional lib)
    set(have OFF)
    if(NOT I3D_${lib} STREQUAL OFF)
        pkg_check_modules(${lib} QUIET IMPORTED_TARGET GLOBAL ${ARGN})
        if(${lib}_FOUND)
            set(have ON)
            add_library(i3d::${lib} ALIAS PkgConfig::${lib})
        elseif(I3D_${lib} STREQUAL ON)
            message(FATAL_ERROR "I3D_${lib}=ON, but pkg-config does not find: ${ARGN}; run the script of scripts/install_*.sh that has it")
        endif()
    endif()
    message(STATUS "${lib}: ${have}")
    set(I3D_HAVE_${lib} ${have} PARENT_SCOPE)
endfunction()

# i3d_noun(flow SOURCES a.c b.c NEEDS base image LINK m): one folder of src/, as objects for
# libi3d and as the static library i3d_flow that unit tests link.
function(i3d_noun name)
    cmake_parse_arguments(arg "" "" "SOURCES;NEEDS;LINK" ${ARGN})
    add_library(i3d_${name}_objects OBJECT ${arg_SOURCES})
    target_include_directories(i3d_${name}_objects PUBLIC ${PROJECT_SOURCE_DIR}/include
                                                          ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(i3d_${name}_objects PRIVATE ${arg_LINK})
    target_compile_options(i3d_${name}_objects PRIVATE -Wcast-qual) # no cast drops a const
    add_library(i3d_${name} STATIC $<TARGET_OBJECTS:i3d_${name}_objects>)
    target_include_directories(i3d_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                                  ${PROJECT_SOURCE_DIR}/src)
    list(TRANSFORM arg_NEEDS PREPEND i3d_)
    target_link_libraries(i3d_${name} PUBLIC ${arg_NEEDS} ${arg_LINK} Threads::Threads m)
    set_property(GLOBAL APPEND PROPERTY I3D_OBJECTS $<TARGET_OBJECTS:i3d_${name}_objects>)
    set_property(GLOBAL APPEND PROPERTY I3D_LINK ${arg_LINK})
endfunction()

# i3d_plugin(cuda SOURCES a.c LINK cudnn [FOLDER where] [KIND comm]): the shared object i3d-cuda.so,
# or comm-cuda.so. Without a FOLDER it is made and installed where the library looks for it.
function(i3d_plugin name)
    cmake_parse_arguments(arg "" "FOLDER;KIND" "SOURCES;LINK" ${ARGN})
    if(NOT arg_KIND)
        set(arg_KIND i3d)
    endif()
    add_library(i3d_plugin_${name} MODULE ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/src/plugin/guest.c
                                          ${PROJECT_SOURCE_DIR}/src/base/thread.c)
    target_include_directories(i3d_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                                          ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(i3d_plugin_${name} PRIVATE I3D_PLUGIN)
    target_link_libraries(i3d_plugin_${name} PRIVATE ${arg_LINK} Threads::Threads m)
    set_target_properties(i3d_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${arg_KIND}-${name})
    if(arg_FOLDER)
        set_target_properties(i3d_plugin_${name} PROPERTIES
                              LIBRARY_OUTPUT_DIRECTORY ${arg_FOLDER})
    else()
        set_target_properties(i3d_plugin_${name} PROPERTIES
                              LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/i3d)
        install(TARGETS i3d_plugin_${name} DESTINATION ${CMAKE_INSTALL_LIBDIR}/i3d)
    endif()
endfunction()

# i3d_test(flow_tvl1 SOURCES test_flow_tvl1.c NEEDS flow [LABELS unit]): a cmocka program.
function(i3d_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;NEEDS;LINK;LABELS" ${ARGN})
    add_executable(test_${name} ${arg_SOURCES})
    list(TRANSFORM arg_NEEDS PREPEND i3d_)
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(test_${name} PRIVATE
        I3D_GOLDEN="${PROJECT_SOURCE_DIR}/tests/golden"
        I3D_SHARED_DATA="${PROJECT_SOURCE_DIR}/../shared/data")
    target_link_libraries(test_${name} PRIVATE ${arg_NEEDS} ${arg_LINK} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND test_${name})
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    # 77: everything in it was skipped, with the reason printed.
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" SKIP_RETURN_CODE 77)
endfunction()

# i3d_test_processes(comm_mpi SOURCES a.c NEEDS comm COUNTS 2 3): the same as 2 and as 3 processes
# of mpirun, where Open MPI is.
function(i3d_test_processes name)
    cmake_parse_arguments(arg "" "" "SOURCES;NEEDS;COUNTS" ${ARGN})
    if(NOT TARGET i3d_plugin_openmpi)
        return()
    endif()
    add_executable(test_${name} ${arg_SOURCES})
    list(TRANSFORM arg_NEEDS PREPEND i3d_)
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name} PRIVATE ${arg_NEEDS} PkgConfig::CMOCKA)
    add_dependencies(test_${name} i3d_plugin_openmpi)
    foreach(n ${arg_COUNTS})
        add_test(NAME ${name}_${n}
                 COMMAND ${PROJECT_SOURCE_DIR}/tests/mpi/launch.sh ${n} $<TARGET_FILE:test_${name}>)
        set_tests_properties(${name}_${n} PROPERTIES LABELS "unit;mpi" SKIP_RETURN_CODE 77
            TIMEOUT 300 ENVIRONMENT
            "I3D_PLUGIN_PATH=$<TARGET_FILE_DIR:i3d_plugin_openmpi>;OMP_WAIT_POLICY=passive")
    endforeach()
endfunction()
