/* What src/engine/cuda/check asks of the CUDA runtime, for a card that is this process: host
 * memory, and what is launched has been done. */
#ifndef TESTS_UNIT_ENGINE_CUDA_RUNTIME_H
#define TESTS_UNIT_ENGINE_CUDA_RUNTIME_H

#include <stddef.h>

typedef enum { cudaSuccess, cudaErrorMemoryAllocation } cudaError_t;
typedef struct event *cudaEvent_t;
enum cudaMemcpyKind { cudaMemcpyDeviceToHost, cudaMemcpyDefault };

struct cudaDeviceProp {
    char name[16];
    int major, minor, multiProcessorCount, l2CacheSize;
};

cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *out, int device);
cudaError_t cudaMalloc(void **out, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind);
cudaError_t cudaMemset(void *to, int byte, size_t bytes);
cudaError_t cudaGetLastError(void);
cudaError_t cudaDeviceSynchronize(void);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaEventCreate(cudaEvent_t *out);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, void *stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *out, cudaEvent_t begin, cudaEvent_t end);

#endif
