#include "model/unit.h"

/* Carreira, Zisserman: "Quo Vadis, Action Recognition?" (2017), figure 3; the channels are those of
 * Inception-V1 (Szegedy et al. 2015, table 1). */
const struct unit network_units[] = {
    { UNIT_CONV, "Conv3d_1a_7x7", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 64 } },
    { UNIT_POOL, "MaxPool3d_2a_3x3", { 1, 3, 3 }, .stride = { 1, 2, 2 } },
    { UNIT_CONV, "Conv3d_2b_1x1", { 1, 1, 1 }, { 1, 1, 1 }, .channels = { 64 } },
    { UNIT_CONV, "Conv3d_2c_3x3", { 3, 3, 3 }, { 1, 1, 1 }, .channels = { 192 } },
    { UNIT_POOL, "MaxPool3d_3a_3x3", { 1, 3, 3 }, .stride = { 1, 2, 2 } },
    { UNIT_MIXED, "Mixed_3b", .channels = { 64, 96, 128, 16, 32, 32 } },
    { UNIT_MIXED, "Mixed_3c", .channels = { 128, 128, 192, 32, 96, 64 } },
    { UNIT_POOL, "MaxPool3d_4a_3x3", { 3, 3, 3 }, .stride = { 2, 2, 2 } },
    { UNIT_MIXED, "Mixed_4b", .channels = { 192, 96, 208, 16, 48, 64 } },
    { UNIT_MIXED, "Mixed_4c", .channels = { 160, 112, 224, 24, 64, 64 } },
    { UNIT_MIXED, "Mixed_4d", .channels = { 128, 128, 256, 24, 64, 64 } },
    { UNIT_MIXED, "Mixed_4e", .channels = { 112, 144, 288, 32, 64, 64 } },
    { UNIT_MIXED, "Mixed_4f", .channels = { 256, 160, 320, 32, 128, 128 } },
    { UNIT_POOL, "MaxPool3d_5a_2x2", { 2, 2, 2 }, .stride = { 2, 2, 2 } },
    { UNIT_MIXED, "Mixed_5b", .channels = { 256, 160, 320, 32, 128, 128 } },
    { UNIT_MIXED, "Mixed_5c", .channels = { 384, 192, 384, 48, 128, 128 } },
    { UNIT_HEAD, .name = "logits" },
};
const int network_unit_count = sizeof network_units / sizeof network_units[0];
