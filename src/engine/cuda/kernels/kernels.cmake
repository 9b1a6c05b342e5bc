# The kernels for a card: each file is CUDA for the plug-in and C for the tests' twins.
set(cuda_kernels clip head layout norm pool step weights)
list(TRANSFORM cuda_kernels PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM cuda_kernels APPEND .cu)
