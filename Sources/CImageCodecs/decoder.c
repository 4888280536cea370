#include "decoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

image_decoder *image_decoder_create(image_codec codec, const uint8_t *bytes, size_t count, size_t memory_limit) {
    const image_codec_functions *functions;
    switch (codec) {
    case IMAGE_CODEC_JPEG: functions = &image_jpeg_functions; break;
    case IMAGE_CODEC_PNG: functions = &image_png_functions; break;
    case IMAGE_CODEC_TIFF: functions = &image_tiff_functions; break;
    case IMAGE_CODEC_WEBP: functions = &image_webp_functions; break;
    default: return NULL;
    }
    image_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->functions = functions;
    decoder->bytes = bytes;
    decoder->count = count;
    decoder->memory_limit = memory_limit;
    return decoder;
}

image_status image_decoder_read_header(image_decoder *decoder) {
    if (decoder->state) return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the header was read before");
    image_status status = decoder->functions->read_header(decoder);
    if (status != IMAGE_STATUS_OK) return status;
    if (decoder->header.width == 0 || decoder->header.height == 0)
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the picture has no pixels");
    decoder->header_read = true;
    return IMAGE_STATUS_OK;
}

image_header image_decoder_header(const image_decoder *decoder) { return decoder->header; }

image_status image_decoder_read_pixels(image_decoder *decoder, uint8_t *rgb, size_t capacity) {
    if (!decoder->header_read) return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "no header was read");
    decoder->header_read = false;
    size_t needed;
    if (__builtin_mul_overflow((size_t)decoder->header.width, (size_t)decoder->header.height, &needed)
        || __builtin_mul_overflow(needed, (size_t)3, &needed) || capacity < needed)
        return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "the buffer is smaller than the picture");
    return decoder->functions->read_pixels(decoder, rgb);
}

image_status image_decoder_read_levels(image_decoder *decoder, uint16_t *levels, size_t capacity) {
    if (!decoder->header_read) return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "no header was read");
    decoder->header_read = false;
    if (!decoder->functions->read_levels)
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "levels of 16 bits are read from PNG files only");
    size_t needed;
    if (__builtin_mul_overflow((size_t)decoder->header.width, (size_t)decoder->header.height, &needed) || capacity < needed)
        return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "the buffer is smaller than the picture");
    return decoder->functions->read_levels(decoder, levels);
}

const char *image_decoder_error(const image_decoder *decoder) { return decoder->error; }

int image_decoder_warning_count(const image_decoder *decoder) { return decoder->warning_count; }

const char *image_decoder_warning(const image_decoder *decoder, int index) {
    return index >= 0 && index < decoder->warning_count ? decoder->warnings[index] : "";
}

void image_decoder_destroy(image_decoder *decoder) {
    if (!decoder) return;
    if (decoder->state) decoder->functions->destroy(decoder);
    free(decoder);
}

image_status image_decoder_fail(image_decoder *decoder, image_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(decoder->error, sizeof decoder->error, format, arguments);
    va_end(arguments);
    return status;
}

void image_decoder_warn(image_decoder *decoder, const char *format, ...) {
    if (decoder->warning_count == IMAGE_WARNING_LIMIT) return;
    char *warning = decoder->warnings[decoder->warning_count];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(warning, IMAGE_MESSAGE_SIZE, format, arguments);
    va_end(arguments);
    for (int i = 0; i < decoder->warning_count; i++)
        if (strcmp(decoder->warnings[i], warning) == 0) return;
    decoder->warning_count++;
}
