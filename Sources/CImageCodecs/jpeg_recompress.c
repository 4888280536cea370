#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "CImageCodecs.h"

typedef struct {
    struct jpeg_error_mgr errors;
    jmp_buf failure;
    char *error;
    size_t error_capacity;
} recompression_errors;

static void error_exit(j_common_ptr library) {
    recompression_errors *errors = (recompression_errors *)library->err;
    char reason[JMSG_LENGTH_MAX];
    library->err->format_message(library, reason);
    snprintf(errors->error, errors->error_capacity, "%s", reason);
    longjmp(errors->failure, 1);
}

static void emit_message(j_common_ptr library, int level) {
    (void)library;
    (void)level;
}

static void prepare(recompression_errors *errors, char *error, size_t error_capacity) {
    jpeg_std_error(&errors->errors);
    errors->errors.error_exit = error_exit;
    errors->errors.emit_message = emit_message;
    errors->error = error;
    errors->error_capacity = error_capacity;
}

static image_status encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int horizontal, int vertical,
    recompression_errors *errors, unsigned char **bytes, unsigned long *count) {
    struct jpeg_compress_struct library = {0};
    library.err = &errors->errors;
    if (setjmp(errors->failure)) {
        jpeg_destroy_compress(&library);
        return IMAGE_STATUS_UNSUPPORTED;
    }
    jpeg_create_compress(&library);
    jpeg_mem_dest(&library, bytes, count);
    library.image_width = width;
    library.image_height = height;
    library.input_components = 3;
    library.in_color_space = JCS_RGB;
    jpeg_set_defaults(&library);
    jpeg_set_quality(&library, quality, TRUE);
    library.dct_method = JDCT_ISLOW;
    library.comp_info[0].h_samp_factor = horizontal;
    library.comp_info[0].v_samp_factor = vertical;
    jpeg_start_compress(&library, TRUE);
    while (library.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)library.next_scanline * width * 3);
        jpeg_write_scanlines(&library, &row, 1);
    }
    jpeg_finish_compress(&library);
    jpeg_destroy_compress(&library);
    return IMAGE_STATUS_OK;
}

static image_status decode(
    const unsigned char *bytes, unsigned long count, recompression_errors *errors, uint32_t width, uint32_t first_row,
    uint32_t row_count, uint8_t *rgb, uint8_t *unused_row) {
    struct jpeg_decompress_struct library = {0};
    library.err = &errors->errors;
    if (setjmp(errors->failure)) {
        jpeg_destroy_decompress(&library);
        return IMAGE_STATUS_CORRUPT;
    }
    jpeg_create_decompress(&library);
    jpeg_mem_src(&library, bytes, count);
    jpeg_read_header(&library, TRUE);
    library.out_color_space = JCS_RGB;
    library.dct_method = JDCT_ISLOW;
    library.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&library);
    while (library.output_scanline < first_row + row_count) {
        const uint32_t y = library.output_scanline;
        JSAMPROW row = y < first_row ? unused_row : rgb + (size_t)(y - first_row) * width * 3;
        jpeg_read_scanlines(&library, &row, 1);
    }
    jpeg_destroy_decompress(&library);
    return IMAGE_STATUS_OK;
}

image_status image_jpeg_recompress(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int horizontal, int vertical, uint32_t first_row,
    uint32_t row_count, uint8_t *recompressed, char *error, size_t error_capacity) {
    recompression_errors errors;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    snprintf(error, error_capacity, "no memory");
    if (first_row > height || row_count > height - first_row) return IMAGE_STATUS_UNSUPPORTED;
    uint8_t *unused_row = malloc((size_t)width * 3);
    if (!unused_row) return IMAGE_STATUS_NO_MEMORY;
    prepare(&errors, error, error_capacity);
    image_status status = encode(rgb, width, height, quality, horizontal, vertical, &errors, &bytes, &count);
    if (status == IMAGE_STATUS_OK)
        status = decode(bytes, count, &errors, width, first_row, row_count, recompressed, unused_row);
    free(bytes);
    free(unused_row);
    return status;
}
