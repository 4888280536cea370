#ifndef IMAGE_DECODER_H
#define IMAGE_DECODER_H

#include <stdarg.h>
#include <stdbool.h>

#include "CImageCodecs.h"

enum { IMAGE_MESSAGE_SIZE = 240, IMAGE_WARNING_LIMIT = 16 };

/* What one library must provide. `state` belongs to it: set by `read_header`, freed by `destroy`. */
typedef struct {
    image_status (*read_header)(image_decoder *decoder);
    image_status (*read_pixels)(image_decoder *decoder, uint8_t *rgb);
    void (*destroy)(image_decoder *decoder);
    /* Grey samples of 16 bits; NULL where pictures have no more than 8. */
    image_status (*read_levels)(image_decoder *decoder, uint16_t *levels);
} image_codec_functions;

struct image_decoder {
    const image_codec_functions *functions;
    const uint8_t *bytes;
    size_t count;
    size_t memory_limit;
    image_header header;
    bool header_read;
    void *state;
    char error[IMAGE_MESSAGE_SIZE];
    int warning_count;
    char warnings[IMAGE_WARNING_LIMIT][IMAGE_MESSAGE_SIZE];
};

extern const image_codec_functions image_jpeg_functions;
extern const image_codec_functions image_png_functions;
extern const image_codec_functions image_tiff_functions;
extern const image_codec_functions image_webp_functions;

/* Sets the error and returns `status`. */
image_status image_decoder_fail(image_decoder *decoder, image_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void image_decoder_warn(image_decoder *decoder, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
