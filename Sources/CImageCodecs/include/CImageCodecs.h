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
 * "islow" transform, luma sampling `horizontal` x `vertical`, chroma 1 x 1) and decodes it again (islow, fancy
 * upsampling). `rgb` and `recompressed` hold 3 * width * height bytes. On failure `error` holds the reason. */
image_status image_jpeg_recompress(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int horizontal, int vertical,
    uint8_t *recompressed, char *error, size_t error_capacity);

typedef struct image_png_writer image_png_writer;

/* Starts a PNG on an open file: grey (1 channel) or RGB (3), 8 or 16 bits a sample. NULL when memory is short. */
image_png_writer *image_png_writer_create(int file, uint32_t width, uint32_t height, int bit_depth, int channels);

/* Writes the next row; samples of 16 bits have their high byte first. Returns 0, or the errno of a failed write. */
int image_png_writer_write_row(image_png_writer *writer, const uint8_t *row, size_t count);

/* Writes what is left. Returns 0, or the errno of a failed write. */
int image_png_writer_finish(image_png_writer *writer);

void image_png_writer_destroy(image_png_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
