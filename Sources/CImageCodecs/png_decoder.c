#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "decoder.h"

/* Bytes that a chunk other than the picture's own may occupy, unpacked (an Exif block has at most 64 KiB). */
enum { CHUNK_LIMIT = 4 << 20 };

typedef struct {
    png_structp library;
    png_infop info;
    size_t position;
    image_status status;
} png_state;

static void read_bytes(png_structp library, png_bytep destination, size_t count) {
    image_decoder *decoder = png_get_io_ptr(library);
    png_state *state = decoder->state;
    if (count > decoder->count - state->position) {
        state->status = IMAGE_STATUS_TRUNCATED;
        png_error(library, "the file ends before the picture is complete");
    }
    memcpy(destination, decoder->bytes + state->position, count);
    state->position += count;
}

static void handle_error(png_structp library, png_const_charp message) {
    image_decoder *decoder = png_get_error_ptr(library);
    png_state *state = decoder->state;
    if (state->status == IMAGE_STATUS_OK) state->status = IMAGE_STATUS_CORRUPT;
    image_decoder_fail(decoder, state->status, "%s", message);
    png_longjmp(library, 1);
}

static void handle_warning(png_structp library, png_const_charp message) {
    image_decoder_warn(png_get_error_ptr(library), "%s", message);
}

static void find_exif(image_decoder *decoder, png_state *state) {
    png_uint_32 count = 0;
    png_bytep bytes = NULL;
    if (png_get_eXIf_1(state->library, state->info, &count, &bytes) == 0) return;
    decoder->header.exif = bytes;
    decoder->header.exif_count = count;
}

static image_status read_header(image_decoder *decoder) {
    png_state *state = calloc(1, sizeof *state);
    if (!state) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    decoder->state = state;
    state->library = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, handle_error, handle_warning);
    if (state->library) state->info = png_create_info_struct(state->library);
    if (!state->info) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    png_structp library = state->library;
    if (setjmp(png_jmpbuf(library))) return state->status;

    png_set_read_fn(library, decoder, read_bytes);
    png_set_user_limits(library, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(library, CHUNK_LIMIT);
    png_set_chunk_cache_max(library, 64);
    png_read_info(library, state->info);
    decoder->header.width = png_get_image_width(library, state->info);
    decoder->header.height = png_get_image_height(library, state->info);
    find_exif(decoder, state);
    return IMAGE_STATUS_OK;
}

static image_status read_pixels(image_decoder *decoder, uint8_t *rgb) {
    png_state *state = decoder->state;
    png_structp library = state->library;
    if (setjmp(png_jmpbuf(library))) return state->status;

    png_byte color_type = png_get_color_type(library, state->info);
    bool transparency = (color_type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(library, state->info, PNG_INFO_tRNS);
    if (transparency) image_decoder_warn(decoder, "transparency is ignored: the colours are used as they are stored");
    png_set_scale_16(library);
    if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(library);
    if (color_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(library);
    if ((color_type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(library);
    png_set_strip_alpha(library);
    int passes = png_set_interlace_handling(library);
    png_read_update_info(library, state->info);
    size_t row_bytes = (size_t)decoder->header.width * 3;
    if (png_get_rowbytes(library, state->info) != row_bytes)
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "an unknown kind of pixels (colour type %d)", color_type);

    for (int pass = 0; pass < passes; pass++)
        for (uint32_t row = 0; row < decoder->header.height; row++) png_read_row(library, rgb + row_bytes * row, NULL);
    png_read_end(library, state->info);
    find_exif(decoder, state);
    return IMAGE_STATUS_OK;
}

static image_status read_levels(image_decoder *decoder, uint16_t *levels) {
    png_state *state = decoder->state;
    png_structp library = state->library;
    if (setjmp(png_jmpbuf(library))) return state->status;

    png_set_expand(library);
    png_set_strip_alpha(library);
    if (png_get_color_type(library, state->info) & PNG_COLOR_MASK_COLOR)
        png_set_rgb_to_gray_fixed(library, PNG_ERROR_ACTION_NONE, PNG_RGB_TO_GRAY_DEFAULT, PNG_RGB_TO_GRAY_DEFAULT);
    png_set_expand_16(library);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(library);
    int passes = png_set_interlace_handling(library);
    png_read_update_info(library, state->info);
    size_t width = decoder->header.width;
    if (png_get_rowbytes(library, state->info) != width * sizeof *levels)
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "an unknown kind of pixels");

    for (int pass = 0; pass < passes; pass++)
        for (uint32_t row = 0; row < decoder->header.height; row++)
            png_read_row(library, (png_bytep)(levels + width * row), NULL);
    png_read_end(library, state->info);
    return IMAGE_STATUS_OK;
}

static void destroy(image_decoder *decoder) {
    png_state *state = decoder->state;
    if (state->library) png_destroy_read_struct(&state->library, &state->info, NULL);
    free(state);
}

const image_codec_functions image_png_functions = {read_header, read_pixels, destroy, read_levels};
