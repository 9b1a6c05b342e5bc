# The plug-in i3d-cuda.so, where the CUDA toolkit and cuDNN 9 are: sets I3D_HAVE_CUDA. nvcc compiles
# the kernels alone, by commands of its own: all else is C.
set(I3D_HAVE_CUDA OFF)
if(NOT I3D_CUDA STREQUAL OFF)
    find_program(CUDA_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
    if(CUDA_NVCC)
        get_filename_component(cuda_root ${CUDA_NVCC} REALPATH)
        get_filename_component(cuda_root ${cuda_root}/../.. ABSOLUTE)
    endif()
    # CUDNN_PATH: a folder with include and lib, as that of the Python package nvidia-cudnn.
    find_path(CUDNN_INCLUDE cudnn_graph.h HINTS $ENV{CUDNN_PATH}/include ${cuda_root}/include)
    find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS $ENV{CUDNN_PATH}/lib ${cuda_root}/lib64)
    find_library(CUDART_LIBRARY cudart_static HINTS ${cuda_root}/lib64)
    if(CUDA_NVCC AND CUDNN_INCLUDE AND CUDNN_LIBRARY AND CUDART_LIBRARY)
        set(I3D_HAVE_CUDA ON)
    elseif(I3D_CUDA STREQUAL ON)
        message(FATAL_ERROR "I3D_CUDA=ON, but CMake does not find nvcc, cuDNN 9 and the CUDA runtime: see doc/cuda.md")
    endif()
endif()
message(STATUS "CUDA: ${I3D_HAVE_CUDA}")
set(I3D_HAVE_CUDA ${I3D_HAVE_CUDA} CACHE INTERNAL "for the tests")
if(NOT I3D_HAVE_CUDA)
    return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/kernels/kernels.cmake)
set(cuda_objects)
foreach(kernel ${cuda_kernels})
    get_filename_component(name ${kernel} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/cuda_${name}.o)
    add_custom_command(OUTPUT ${object}
        COMMAND ${CUDA_NVCC} -std=c++17 -O3 -lineinfo -fmad=false -Xcompiler -fPIC,-fvisibility=hidden,-fno-exceptions,-fno-threadsafe-statics
                -gencode arch=compute_80,code=sm_80
                -gencode arch=compute_90,code=[sm_90,compute_90]
                -I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/src
                -MD -MF ${object}.d -c ${kernel} -o ${object}
        DEPENDS ${kernel} DEPFILE ${object}.d VERBATIM)
    list(APPEND cuda_objects ${object})
endforeach()

include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)
set(cuda_sources ${cuda_plan_sources} ${cuda_card_sources})
# What the plug-in takes of the library besides.
set(cuda_shared arena.c optimizer.c passes.c state.c)
list(TRANSFORM cuda_shared PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
list(APPEND cuda_shared ${PROJECT_SOURCE_DIR}/src/model/graph.c)
set(cuda_libraries ${CUDNN_LIBRARY} ${CUDART_LIBRARY} ${CMAKE_DL_LIBS} rt)
set(CUDA_INCLUDE ${cuda_root}/include CACHE INTERNAL "for the tests")

i3d_plugin(cuda SOURCES ${CMAKE_CURRENT_LIST_DIR}/plugin.c ${cuda_sources} ${cuda_shared}
                        ${cuda_objects}
           LINK ${cuda_libraries})
target_include_directories(i3d_plugin_cuda SYSTEM PRIVATE ${CUDA_INCLUDE} ${CUDNN_INCLUDE})
# What it lacks is seen when it is linked, not when it is opened.
target_link_options(i3d_plugin_cuda PRIVATE -Wl,-z,defs)

# The same for programs that look into it.
add_library(i3d_cuda STATIC ${cuda_sources} ${cuda_objects})
target_include_directories(i3d_cuda SYSTEM PRIVATE ${CUDA_INCLUDE} ${CUDNN_INCLUDE})
target_link_libraries(i3d_cuda PUBLIC i3d_engine ${cuda_libraries})
