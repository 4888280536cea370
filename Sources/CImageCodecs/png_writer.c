#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "CImageCodecs.h"

enum {
    COLOR_GREY = 0,
    COLOR_RGB = 2,
    FILTER_UP = 2,
    /* Length and type before a chunk's data, and the check after it. */
    CHUNK_HEADER = 8,
    CHUNK_END = 4,
    STREAM_HEADER = 2,
    /* What a flush adds at most. */
    FLUSH = 16,
};

static void put_number(uint8_t *bytes, uint32_t number) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Completes a chunk whose data is in place. Returns the bytes of the whole. */
static size_t seal_chunk(uint8_t *chunk, const char type[4], size_t count) {
    put_number(chunk, (uint32_t)count);
    memcpy(chunk + 4, type, 4);
    put_number(chunk + CHUNK_HEADER + count, (uint32_t)crc32(0, chunk + 4, (uInt)(4 + count)));
    return CHUNK_HEADER + count + CHUNK_END;
}

void image_png_start(uint32_t width, uint32_t height, int bit_depth, int channels, uint8_t start[IMAGE_PNG_START]) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    memcpy(start, signature, sizeof signature);
    uint8_t *chunk = start + sizeof signature;
    uint8_t *data = chunk + CHUNK_HEADER;
    put_number(data, width);
    put_number(data + 4, height);
    data[8] = (uint8_t)bit_depth;
    data[9] = channels == 1 ? COLOR_GREY : COLOR_RGB;
    /* Deflate, the five filters, no interlace. */
    memset(data + 10, 0, 3);
    seal_chunk(chunk, "IHDR", 13);
}

size_t image_png_band_capacity(size_t row_bytes, size_t row_count) {
    size_t bytes;
    if (__builtin_mul_overflow(row_bytes + 1, row_count, &bytes) || bytes > INT_MAX / 2) return 0;
    /* zlib's own bound for any settings. */
    return bytes + ((bytes + 7) >> 3) + ((bytes + 63) >> 6) + CHUNK_HEADER + STREAM_HEADER + FLUSH + CHUNK_END;
}

int image_png_compress_band(
    const uint8_t *above, const uint8_t *rows, size_t row_bytes, size_t row_count, int is_last, int is_smooth,
    uint8_t *chunk, size_t capacity, size_t *count, uint32_t *checksum) {
    if (row_bytes == 0 || row_count == 0 || capacity < image_png_band_capacity(row_bytes, row_count)) return EINVAL;
    uint8_t *filtered = malloc(row_bytes + 1);
    if (!filtered) return ENOMEM;
    z_stream stream = {0};
    /* Level 1: higher ones take several times as long for files a tenth smaller. */
    if (deflateInit2(&stream, 1, Z_DEFLATED, -15, 9, is_smooth ? Z_RLE : Z_DEFAULT_STRATEGY) != Z_OK) {
        free(filtered);
        return ENOMEM;
    }
    size_t start = CHUNK_HEADER;
    if (!above) {
        /* A window of 32 KiB, fastest compression. */
        chunk[start++] = 0x78;
        chunk[start++] = 0x01;
    }
    stream.next_out = chunk + start;
    stream.avail_out = (uInt)(capacity - start - CHUNK_END);
    uLong sum = adler32(0, NULL, 0);
    int status = Z_OK;
    for (size_t y = 0; y < row_count && status == Z_OK; y++) {
        const uint8_t *row = rows + y * row_bytes;
        filtered[0] = FILTER_UP;
        if (above) {
            for (size_t i = 0; i < row_bytes; i++) filtered[i + 1] = (uint8_t)(row[i] - above[i]);
        } else {
            memcpy(filtered + 1, row, row_bytes);
        }
        above = row;
        sum = adler32(sum, filtered, (uInt)(row_bytes + 1));
        stream.next_in = filtered;
        stream.avail_in = (uInt)(row_bytes + 1);
        const int is_end = y + 1 == row_count;
        status = deflate(&stream, !is_end ? Z_NO_FLUSH : is_last ? Z_FINISH : Z_SYNC_FLUSH);
    }
    const int is_complete = status == (is_last ? Z_STREAM_END : Z_OK) && stream.avail_in == 0 && stream.avail_out > 0;
    *count = seal_chunk(chunk, "IDAT", (size_t)(stream.next_out - chunk) - CHUNK_HEADER);
    *checksum = (uint32_t)sum;
    deflateEnd(&stream);
    free(filtered);
    return is_complete ? 0 : EIO;
}

uint32_t image_png_join(uint32_t first, uint32_t second, size_t second_bytes) {
    return (uint32_t)adler32_combine(first, second, (z_off_t)second_bytes);
}

void image_png_end(uint32_t checksum, uint8_t end[IMAGE_PNG_END]) {
    put_number(end + CHUNK_HEADER, checksum);
    const size_t count = seal_chunk(end, "IDAT", 4);
    seal_chunk(end + count, "IEND", 0);
}
