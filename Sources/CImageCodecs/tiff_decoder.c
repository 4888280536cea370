#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#include "decoder.h"

/* The file as libtiff sees it: the decoder's bytes and a position. */
typedef struct {
    TIFF *library;
    TIFFRGBAImage image;
    bool image_started;
    uint32_t *raster;
    uint64_t position;
} tiff_state;

static tmsize_t read_bytes(thandle_t handle, void *destination, tmsize_t count) {
    image_decoder *decoder = handle;
    tiff_state *state = decoder->state;
    if (count <= 0 || state->position >= decoder->count) return 0;
    size_t available = decoder->count - (size_t)state->position;
    size_t read = (size_t)count < available ? (size_t)count : available;
    memcpy(destination, decoder->bytes + state->position, read);
    state->position += read;
    return (tmsize_t)read;
}

static tmsize_t write_bytes(thandle_t handle, void *source, tmsize_t count) {
    (void)handle;
    (void)source;
    (void)count;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int origin) {
    image_decoder *decoder = handle;
    tiff_state *state = decoder->state;
    uint64_t base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? state->position : decoder->count;
    uint64_t position;
    if (__builtin_add_overflow(base, offset, &position)) return (toff_t)-1;
    state->position = position;
    return position;
}

static int close_file(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t file_size(thandle_t handle) { return ((image_decoder *)handle)->count; }

/* libtiff only reads mapped memory: usually it is a read-only mapping of a file. */
static int map_file(thandle_t handle, void **base, toff_t *size) {
    image_decoder *decoder = handle;
    *base = (void *)decoder->bytes;
    *size = decoder->count;
    return 1;
}

static void unmap_file(thandle_t handle, void *base, toff_t size) {
    (void)handle;
    (void)base;
    (void)size;
}

static int handle_error(TIFF *library, void *user, const char *module, const char *format, va_list arguments) {
    (void)library;
    (void)module;
    image_decoder *decoder = user;
    if (decoder->error[0] == 0) vsnprintf(decoder->error, sizeof decoder->error, format, arguments);
    return 1;
}

static int handle_warning(TIFF *library, void *user, const char *module, const char *format, va_list arguments) {
    (void)library;
    (void)module;
    char remark[IMAGE_MESSAGE_SIZE];
    vsnprintf(remark, sizeof remark, format, arguments);
    image_decoder_warn(user, "%s", remark);
    return 1;
}

/* The library's own words where it had any. */
static image_status fail(image_decoder *decoder, image_status status, const char *otherwise) {
    if (decoder->error[0] == 0) image_decoder_fail(decoder, status, "%s", otherwise);
    return status;
}

static TIFF *open_file(image_decoder *decoder) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(
        options, decoder->memory_limit > INTPTR_MAX ? INTPTR_MAX : (tmsize_t)decoder->memory_limit);
    TIFFOpenOptionsSetErrorHandlerExtR(options, handle_error, decoder);
    TIFFOpenOptionsSetWarningHandlerExtR(options, handle_warning, decoder);
    TIFF *library = TIFFClientOpenExt(
        "image", "r", decoder, read_bytes, write_bytes, seek, close_file, file_size, map_file, unmap_file, options);
    TIFFOpenOptionsFree(options);
    return library;
}

static image_status read_header(image_decoder *decoder) {
    tiff_state *state = calloc(1, sizeof *state);
    if (!state) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    decoder->state = state;
    TIFF *library = state->library = open_file(decoder);
    if (!library) return fail(decoder, IMAGE_STATUS_CORRUPT, "the directory of the file cannot be read");

    uint16_t orientation = 0, compression = 0, photometric = 0;
    if (!TIFFGetField(library, TIFFTAG_IMAGEWIDTH, &decoder->header.width)
        || !TIFFGetField(library, TIFFTAG_IMAGELENGTH, &decoder->header.height))
        return fail(decoder, IMAGE_STATUS_CORRUPT, "the size of the picture is missing");
    TIFFGetFieldDefaulted(library, TIFFTAG_ORIENTATION, &orientation);
    decoder->header.orientation = orientation;
    TIFFGetFieldDefaulted(library, TIFFTAG_COMPRESSION, &compression);
    if (compression == COMPRESSION_OJPEG)
        return image_decoder_fail(
            decoder, IMAGE_STATUS_UNSUPPORTED, "the JPEG compression of 1992 (6); save it as LZW or deflate");
    if (TIFFGetField(library, TIFFTAG_PHOTOMETRIC, &photometric) && photometric == PHOTOMETRIC_SEPARATED)
        return image_decoder_fail(
            decoder, IMAGE_STATUS_UNSUPPORTED, "the picture is made of printing inks (CMYK); convert it to RGB first");
    if (!TIFFLastDirectory(library)) image_decoder_warn(decoder, "the file has several pages: the first is used");
    return IMAGE_STATUS_OK;
}

/* libtiff would turn the picture and multiply colours by opacity; the stored grid and colours are wanted. */
static void keep_stored_values(image_decoder *decoder, TIFF *library) {
    uint16_t count = 0, *kinds = NULL;
    TIFFSetField(library, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFGetFieldDefaulted(library, TIFFTAG_EXTRASAMPLES, &count, &kinds);
    if (count == 0 || kinds[0] == EXTRASAMPLE_UNSPECIFIED) return;
    image_decoder_warn(decoder, "transparency is ignored: the colours are used as they are stored");
    uint16_t associated[8] = {EXTRASAMPLE_ASSOCALPHA};
    if (count <= 8) TIFFSetField(library, TIFFTAG_EXTRASAMPLES, count, associated);
}

/* Rows that are compressed together: a strip, or a row of tiles. */
static uint32_t rows_per_block(TIFF *library, uint32_t height) {
    uint32_t rows = 0;
    if (TIFFIsTiled(library)) TIFFGetField(library, TIFFTAG_TILELENGTH, &rows);
    else TIFFGetFieldDefaulted(library, TIFFTAG_ROWSPERSTRIP, &rows);
    return rows == 0 || rows > height ? height : rows;
}

static image_status read_pixels(image_decoder *decoder, uint8_t *rgb) {
    tiff_state *state = decoder->state;
    TIFF *library = state->library;
    uint32_t width = decoder->header.width, height = decoder->header.height;
    char reason[1024] = "";
    if (width > INT32_MAX || height > INT32_MAX)
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "a side of more than 2 147 483 647 pixels");
    keep_stored_values(decoder, library);
    if (!TIFFRGBAImageOK(library, reason)) return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "%.200s", reason);
    if (!TIFFRGBAImageBegin(&state->image, library, 1, reason))
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "%.200s", reason);
    state->image_started = true;
    state->image.req_orientation = ORIENTATION_TOPLEFT;

    uint32_t block = rows_per_block(library, height);
    size_t raster_bytes;
    if (__builtin_mul_overflow((size_t)width * sizeof(uint32_t), (size_t)block, &raster_bytes))
        return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "a strip larger than memory");
    state->raster = malloc(raster_bytes);
    if (!state->raster) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for a strip");

    for (uint32_t top = 0; top < height; top += block) {
        uint32_t rows = height - top < block ? height - top : block;
        state->image.row_offset = (int)top;
        state->image.col_offset = 0;
        if (!TIFFRGBAImageGet(&state->image, state->raster, width, rows))
            return fail(decoder, IMAGE_STATUS_CORRUPT, "the compressed data cannot be read");
        uint8_t *to = rgb + (size_t)top * width * 3;
        size_t pixels = (size_t)width * rows;
        for (size_t i = 0; i < pixels; i++, to += 3) {
            to[0] = (uint8_t)TIFFGetR(state->raster[i]);
            to[1] = (uint8_t)TIFFGetG(state->raster[i]);
            to[2] = (uint8_t)TIFFGetB(state->raster[i]);
        }
    }
    if (decoder->error[0] != 0) image_decoder_warn(decoder, "%s", decoder->error);
    return IMAGE_STATUS_OK;
}

static void destroy(image_decoder *decoder) {
    tiff_state *state = decoder->state;
    if (state->image_started) TIFFRGBAImageEnd(&state->image);
    if (state->library) TIFFClose(state->library);
    free(state->raster);
    free(state);
}

const image_codec_functions image_tiff_functions = {read_header, read_pixels, destroy};
