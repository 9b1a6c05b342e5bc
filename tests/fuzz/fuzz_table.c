/* CSV files, as tables and as splits. */
#include "clip/split.h"
#include "fuzz_file.h"
#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const rules[] = { NULL, "sequence=8,9" };
    const char *path = fuzz_file(data, size);
    struct table table;
    if (table_read(path, &table) == I3D_OK) {
        for (size_t row = 0; row < table.rows; row++)
            for (size_t column = 0; column < table.columns; column++)
                if (!table_cell(&table, row, (int)column))
                    abort();
        table_clear(&table);
    }
    for (int i = 0; i < 2; i++) {
        struct annotation annotation = { 0 };
        if (split_read_csv(path, rules[i], &annotation) == I3D_OK)
            annotation_clear(&annotation);
    }
    return 0;
}
