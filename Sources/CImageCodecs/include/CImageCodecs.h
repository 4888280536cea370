/* Photographs through libjpeg-turbo, libpng, libtiff and libwebp, behind one interface.
 *
 * Nothing here prints, exits or jumps past its caller. Every function checks the sizes that it is given; memory is
 * allocated only for what a header within the given limits asks for. A handle belongs to one thread at a time. */
#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { IMAGE_CODEC_JPEG, IMAGE_CODEC_PNG, IMAGE_CODEC_TIFF, IMAGE_CODEC_WEBP } image_codec;

typedef enum {
    IMAGE_STATUS_OK,
    /* The bytes break the format's rules. */
    IMAGE_STATUS_CORRUPT,
    /* The bytes end before the picture is complete. */
    IMAGE_STATUS_TRUNCATED,
    /* The file keeps the rules, but uses a part of the format that is not read here. */
    IMAGE_STATUS_UNSUPPORTED,
    IMAGE_STATUS_NO_MEMORY,
} image_status;

typedef struct image_decoder image_decoder;

typedef struct {
    uint32_t width;
    uint32_t height;
    /* The TIFF orientation tag, 1 to 8; 0 when it stands in `exif` or nowhere. */
    uint32_t orientation;
    /* The Exif payload from its byte order mark on; NULL when there is none. Lives as long as the decoder. */
    const uint8_t *exif;
    size_t exif_count;
} image_header;

/* A decoder over `bytes`, which must stay valid until it is closed; NULL when memory is short.
 * `memory_limit`: bytes that a library may allocate at once, beyond the picture itself. */
image_decoder *image_decoder_create(image_codec codec, const uint8_t *bytes, size_t count, size_t memory_limit);

/* Reads the header. Call once, first. */
image_status image_decoder_read_header(image_decoder *decoder);

/* What is known so far; Exif data may follow the pixels. */
image_header image_decoder_header(const image_decoder *decoder);

/* Decodes to interleaved 8-bit RGB, rows from the top of the stored grid, without padding. Call once, after a header
 * that was read successfully. `capacity` must be at least 3 * width * height. */
image_status image_decoder_read_pixels(image_decoder *decoder, uint8_t *rgb, size_t capacity);

/* Instead of `image_decoder_read_pixels`, of PNG files only: grey samples of 16 bits in the machine's byte order, those of
 * fewer bits spread over the whole range, coloured ones by their luminance. `capacity` is in samples, at least width * height. */
image_status image_decoder_read_levels(image_decoder *decoder, uint16_t *levels, size_t capacity);

/* Why the last call failed: the library's words. */
const char *image_decoder_error(const image_decoder *decoder);

/* What the library or the decoder remarked, in order, each remark once; `index` below the count. */
int image_decoder_warning_count(const image_decoder *decoder);
const char *image_decoder_warning(const image_decoder *decoder, int index);

void image_decoder_destroy(image_decoder *decoder);

/* Encodes interleaved RGB as a baseline JPEG (tables of the standard's annex K scaled by IJG `quality` 1...100, integer
 * "islow" transform, luma sampling `horizontal` x `vertical`, chroma 1 x 1) and decodes some of its rows again (islow, fancy
 * upsampling). `rgb` holds 3 * width * height bytes, `recompressed` 3 * width * row_count. On failure `error` holds the
 * reason. */
image_status image_jpeg_recompress(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int horizontal, int vertical, uint32_t first_row,
    uint32_t row_count, uint8_t *recompressed, char *error, size_t error_capacity);

/* A PNG of grey (1 channel) or RGB (3), 8 or 16 bits a sample, from bands of rows that are compressed independently: the
 * start, every band's chunk in order, the end. */
enum { IMAGE_PNG_START = 33, IMAGE_PNG_END = 28 };

void image_png_start(uint32_t width, uint32_t height, int bit_depth, int channels, uint8_t start[IMAGE_PNG_START]);

/* The most bytes of a band's chunk; 0 when there are too many for one. */
size_t image_png_band_capacity(size_t row_bytes, size_t row_count);

/* Filters and deflates rows, whose samples of 16 bits have their high byte first, into an IDAT chunk.
 * - above: the row above the first; NULL for the first band of a picture.
 * - is_last: whether the picture ends with this band.
 * - is_smooth: whether neighbouring samples differ little, so that only runs of equal differences are worth looking for.
 * - count: the bytes of the chunk, at most `capacity`.
 * - checksum: Adler-32 of the filtered rows, which are `row_bytes + 1` bytes each.
 * Returns 0 or an errno. */
int image_png_compress_band(
    const uint8_t *above, const uint8_t *rows, size_t row_bytes, size_t row_count, int is_last, int is_smooth,
    uint8_t *chunk, size_t capacity, size_t *count, uint32_t *checksum);

/* The checksum of what two checksums belong to, one after the other; 1 is that of nothing. */
uint32_t image_png_join(uint32_t first, uint32_t second, size_t second_bytes);

void image_png_end(uint32_t checksum, uint8_t end[IMAGE_PNG_END]);

#ifdef __cplusplus
}
#endif

#endif
