#include "eval/confusion.h"

#include "eval/csv.h"
#include "eval/scores.h"

void confusion_count(const i3d_scores *scores, int *counts)
{
    for (int v = 0; v < scores->videos; v++) {
        int guess;
        if (!scores->clips[v])
            continue;
        i3d_best(scores_row(scores, v), scores->classes, 1, &guess);
        counts[scores->labels[v] * scores->classes + guess]++;
    }
}

void confusion_write_csv(FILE *stream, char *const *names, int classes, const int *counts)
{
    fputs("truth", stream);
    for (int c = 0; c < classes; c++)
        csv_text(stream, names[c], ',');
    for (int truth = 0; truth < classes; truth++) {
        csv_text(stream, names[truth], '\n');
        for (int guess = 0; guess < classes; guess++)
            fprintf(stream, ",%d", counts[truth * classes + guess]);
    }
    fputc('\n', stream);
}

/* Text as SVG shows it. */
static void svg_text(FILE *stream, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", stream);
            break;
        case '>':
            fputs("&gt;", stream);
            break;
        case '&':
            fputs("&amp;", stream);
            break;
        default:
            if ((unsigned char)*text >= ' ')
                fputc(*text, stream);
        }
}

/* The layout in pixels: names left and above, cells that shrink with the number of classes. */
enum { CELL_MOST = 40, CELL_LEAST = 6, MAP = 600, MARGIN = 170 };

static int cell_size(int classes)
{
    int cell = MAP / classes;
    return cell > CELL_MOST ? CELL_MOST : cell < CELL_LEAST ? CELL_LEAST : cell;
}

static void svg_names(FILE *stream, char *const *names, int classes, int cell)
{
    int font = cell < 14 ? cell : 14;
    fprintf(stream, "<g font-size=\"%d\" fill=\"#222\">\n", font);
    for (int c = 0; c < classes; c++) {
        double centre = MARGIN + (c + .5) * cell, baseline = centre + font * .35;
        fprintf(stream, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", MARGIN - 6, baseline);
        svg_text(stream, names[c]);
        fprintf(stream, "</text>\n<text transform=\"translate(%.1f %d) rotate(-90)\">", baseline,
                MARGIN - 6);
        svg_text(stream, names[c]);
        fputs("</text>\n", stream);
    }
    fputs("</g>\n", stream);
}

/* From white to dark blue. */
static void svg_cell(FILE *stream, int x, int y, int cell, int count, int total)
{
    double part = total ? (double)count / total : 0;
    int red = (int)(255 - 225 * part), green = (int)(255 - 180 * part);
    int blue = (int)(255 - 105 * part);
    fprintf(stream, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"rgb(%d,%d,%d)\"/>\n",
            x, y, cell, cell, red, green, blue);
    if (count && cell >= 16)
        fprintf(stream,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"middle\" "
                "fill=\"%s\">%d</text>\n",
                x + cell * .5, y + cell * .5 + 4, cell < 30 ? 9 : 12, part > .5 ? "#fff" : "#222",
                count);
}

void confusion_write_svg(FILE *stream, char *const *names, int classes, const int *counts)
{
    int cell = cell_size(classes), map = cell * classes, side = MARGIN + map + 20;
    fprintf(stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n"
            "<text x=\"10\" y=\"20\" font-size=\"12\" fill=\"#666\">rows: truth, "
            "columns: guess</text>\n",
            side, side, side, side);
    svg_names(stream, names, classes, cell);
    for (int truth = 0; truth < classes; truth++) {
        const int *row = counts + truth * classes;
        int total = 0;
        for (int guess = 0; guess < classes; guess++)
            total += row[guess];
        for (int guess = 0; guess < classes; guess++)
            svg_cell(stream, MARGIN + guess * cell, MARGIN + truth * cell, cell, row[guess], total);
    }
    fprintf(stream,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\"/>\n"
            "</svg>\n",
            MARGIN, MARGIN, map, map);
}
