#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "decoder.h"

/* A progressive file may repeat scans without end at a few bytes each. Encoders use about ten. */
enum { SCAN_LIMIT = 200 };

typedef struct {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failure;
    image_decoder *decoder;
    image_status status;
    bool decoding;
    bool reached_end_of_file;
} jpeg_state;

static jpeg_state *state_of(j_common_ptr library) { return library->client_data; }

static _Noreturn void fail(jpeg_state *state, image_status status, const char *reason) {
    state->status = image_decoder_fail(state->decoder, status, "%s", reason);
    longjmp(state->failure, 1);
}

static void error_exit(j_common_ptr library) {
    jpeg_state *state = state_of(library);
    char reason[JMSG_LENGTH_MAX];
    library->err->format_message(library, reason);
    switch (library->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE: fail(state, IMAGE_STATUS_NO_MEMORY, reason);
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL: fail(state, IMAGE_STATUS_UNSUPPORTED, reason);
    default:
        fail(state, state->reached_end_of_file ? IMAGE_STATUS_TRUNCATED : IMAGE_STATUS_CORRUPT, reason);
    }
}

/* Where the library would go on with grey pixels in place of missing ones, the picture is refused. */
static void emit_message(j_common_ptr library, int level) {
    if (level >= 0) return;
    jpeg_state *state = state_of(library);
    char remark[JMSG_LENGTH_MAX];
    library->err->num_warnings++;
    library->err->format_message(library, remark);
    if (library->err->msg_code == JWRN_HIT_MARKER) fail(state, IMAGE_STATUS_TRUNCATED, remark);
    if (library->err->msg_code == JWRN_JPEG_EOF) {
        state->reached_end_of_file = true;
        /* Only Huffman decoding of a single scan notices by itself that bits are missing. */
        if (state->decoding && (state->library.arith_code || jpeg_has_multiple_scans(&state->library)))
            fail(state, IMAGE_STATUS_TRUNCATED, remark);
        image_decoder_warn(state->decoder, "the end marker is missing");
        return;
    }
    image_decoder_warn(state->decoder, "%s", remark);
}

static void output_message(j_common_ptr library) { (void)library; }

static void limit_scans(j_common_ptr library) {
    jpeg_state *state = state_of(library);
    if (state->library.input_scan_number > SCAN_LIMIT)
        fail(state, IMAGE_STATUS_CORRUPT, "the file has more scans than a photograph needs");
}

static void find_exif(image_decoder *decoder, jpeg_saved_marker_ptr marker) {
    static const uint8_t signature[6] = "Exif\0";
    for (; marker; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + 1 || marker->data_length <= sizeof signature) continue;
        if (memcmp(marker->data, signature, sizeof signature) != 0) continue;
        decoder->header.exif = marker->data + sizeof signature;
        decoder->header.exif_count = marker->data_length - sizeof signature;
        return;
    }
}

static image_status read_header(image_decoder *decoder) {
    jpeg_state *state = calloc(1, sizeof *state);
    if (!state) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    decoder->state = state;
    state->decoder = decoder;
    struct jpeg_decompress_struct *library = &state->library;
    library->err = jpeg_std_error(&state->errors);
    library->client_data = state;
    state->errors.error_exit = error_exit;
    state->errors.emit_message = emit_message;
    state->errors.output_message = output_message;
    if (setjmp(state->failure)) return state->status;

    jpeg_create_decompress(library);
    library->mem->max_memory_to_use = decoder->memory_limit > LONG_MAX ? LONG_MAX : (long)decoder->memory_limit;
    state->progress.progress_monitor = limit_scans;
    library->progress = &state->progress;
    jpeg_save_markers(library, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(library, decoder->bytes, decoder->count);
    jpeg_read_header(library, TRUE);
    decoder->header.width = library->image_width;
    decoder->header.height = library->image_height;
    find_exif(decoder, library->marker_list);

    switch (library->jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_YCbCr:
    case JCS_RGB: break;
    case JCS_CMYK:
    case JCS_YCCK:
        return image_decoder_fail(
            decoder, IMAGE_STATUS_UNSUPPORTED, "the picture is made of printing inks (CMYK); convert it to RGB first");
    default:
        return image_decoder_fail(
            decoder, IMAGE_STATUS_UNSUPPORTED, "the picture has %d components of unknown meaning", library->num_components);
    }
    return IMAGE_STATUS_OK;
}

static image_status read_pixels(image_decoder *decoder, uint8_t *rgb) {
    jpeg_state *state = decoder->state;
    struct jpeg_decompress_struct *library = &state->library;
    state->decoding = true;
    if (setjmp(state->failure)) return state->status;

    library->out_color_space = JCS_RGB;
    library->dct_method = JDCT_ISLOW;
    library->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(library);
    for (int component = 0; component < library->num_components; component++)
        if (!library->comp_info[component].quant_table)
            fail(state, IMAGE_STATUS_TRUNCATED, "the data of a colour component is missing");
    if (library->output_width != decoder->header.width || library->output_height != decoder->header.height
        || library->output_components != 3)
        fail(state, IMAGE_STATUS_CORRUPT, "the size of the picture changed");

    size_t row_bytes = (size_t)library->output_width * 3;
    while (library->output_scanline < library->output_height) {
        JSAMPROW row = rgb + row_bytes * library->output_scanline;
        if (jpeg_read_scanlines(library, &row, 1) != 1)
            fail(state, IMAGE_STATUS_TRUNCATED, "the data ends before the last row");
    }
    return IMAGE_STATUS_OK;
}

static void destroy(image_decoder *decoder) {
    jpeg_state *state = decoder->state;
    jpeg_destroy_decompress(&state->library);
    free(state);
}

const image_codec_functions image_jpeg_functions = {read_header, read_pixels, destroy};
