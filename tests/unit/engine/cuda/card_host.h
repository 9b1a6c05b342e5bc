/* The cuda engine's card in host memory. */
#ifndef TESTS_UNIT_ENGINE_CUDA_CARD_HOST_H
#define TESTS_UNIT_ENGINE_CUDA_CARD_HOST_H

#include <stddef.h>

extern size_t card_host_room; /* bytes it has */

#endif
