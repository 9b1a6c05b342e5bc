# oneDNN and OpenMP, for the engine "cpu": sets I3D_HAVE_ONEDNN, cpu_sources and cpu_libraries.
# Not by dnnl's CMake package: Debian's also wants OpenCL, which nothing here uses.
set(I3D_HAVE_ONEDNN OFF)
if(NOT I3D_ONEDNN STREQUAL OFF)
    find_path(DNNL_INCLUDE oneapi/dnnl/dnnl_version.h)
    find_library(DNNL_LIBRARY dnnl)
    find_package(OpenMP QUIET COMPONENTS C)
    if(DNNL_INCLUDE AND DNNL_LIBRARY AND OpenMP_C_FOUND)
        set(I3D_HAVE_ONEDNN ON)
    elseif(I3D_ONEDNN STREQUAL ON)
        message(FATAL_ERROR "I3D_ONEDNN=ON, but CMake does not find dnnl and OpenMP; run scripts/install_packages.sh")
    endif()
endif()
message(STATUS "ONEDNN: ${I3D_HAVE_ONEDNN}")
set(I3D_HAVE_ONEDNN ${I3D_HAVE_ONEDNN} CACHE INTERNAL "for the tests")

if(I3D_HAVE_ONEDNN)
    file(STRINGS ${DNNL_INCLUDE}/oneapi/dnnl/dnnl_version.h version
         REGEX "define DNNL_VERSION_MAJOR [0-9]+")
    string(REGEX MATCH "[0-9]+$" version "${version}")

    set(cpu_sources plugin.c cpu.c decide.c plan.c layout.c forward.c backward.c head_pool.c
                    overflow.c convolution.c provider.c onednn.c primitive.c api_v${version}.c
                    winograd.c winograd_shape.c winograd_plain.c kernels_f32_plain.c)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        list(APPEND cpu_sources isa_x86.c winograd_avx2.c winograd_avx512.c
                                kernels_f32_avx2.c kernels_f32_avx512.c kernels_bf16_avx512.c)
    else()
        list(APPEND cpu_sources isa_plain.c)
    endif()
    list(TRANSFORM cpu_sources PREPEND cpu/)
    set_source_files_properties(${cpu_sources} PROPERTIES
        COMPILE_OPTIONS "${OpenMP_C_FLAGS}")

    set(avx2 -mavx2)
    set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
    foreach(kernels f32_avx2 f32_avx512 bf16_avx512)
        string(REGEX REPLACE ".*_" "" isa ${kernels})
        set_property(SOURCE cpu/kernels_${kernels}.c APPEND PROPERTY COMPILE_OPTIONS ${${isa}})
    endforeach()
    # What multiplies by fused multiply-adds. The sign of a zero does not count, a NaN stays one.
    set(fused -ffp-contract=fast -fno-signed-zeros -fno-trapping-math)
    set_property(SOURCE cpu/kernels_f32_plain.c APPEND PROPERTY COMPILE_OPTIONS -Wno-psabi)
    set_property(SOURCE cpu/winograd_plain.c APPEND PROPERTY COMPILE_OPTIONS ${fused} -Wno-psabi)
    set_property(SOURCE cpu/winograd_avx2.c APPEND PROPERTY COMPILE_OPTIONS ${fused} ${avx2} -mfma)
    set_property(SOURCE cpu/winograd_avx512.c APPEND PROPERTY COMPILE_OPTIONS ${fused} ${avx512})
    set(cpu_libraries ${DNNL_LIBRARY} ${OpenMP_C_LIBRARIES})
endif()
