#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <png.h>

#include "CImageCodecs.h"

struct image_png_writer {
    png_structp library;
    png_infop info;
    int file;
    int failure;
    bool started;
    uint32_t width;
    uint32_t height;
    uint32_t next_row;
    int bit_depth;
    int channels;
};

static void write_bytes(png_structp library, png_bytep bytes, size_t count) {
    image_png_writer *writer = png_get_io_ptr(library);
    while (count > 0) {
        ssize_t written = write(writer->file, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            writer->failure = written < 0 ? errno : EIO;
            png_error(library, "write failed");
        }
        bytes += written;
        count -= (size_t)written;
    }
}

static void flush(png_structp library) { (void)library; }

static void handle_error(png_structp library, png_const_charp message) {
    image_png_writer *writer = png_get_error_ptr(library);
    (void)message;
    if (writer->failure == 0) writer->failure = EINVAL;
    png_longjmp(library, 1);
}

static void handle_warning(png_structp library, png_const_charp message) {
    (void)library;
    (void)message;
}

image_png_writer *image_png_writer_create(int file, uint32_t width, uint32_t height, int bit_depth, int channels) {
    image_png_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return NULL;
    *writer = (image_png_writer){
        .file = file, .width = width, .height = height, .bit_depth = bit_depth, .channels = channels};
    writer->library = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, handle_error, handle_warning);
    if (writer->library) writer->info = png_create_info_struct(writer->library);
    if (writer->info) return writer;
    image_png_writer_destroy(writer);
    return NULL;
}

static void start(image_png_writer *writer) {
    png_structp library = writer->library;
    writer->started = true;
    png_set_write_fn(library, writer, write_bytes, flush);
    png_set_user_limits(library, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(
        library, writer->info, writer->width, writer->height, writer->bit_depth,
        writer->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    /* libpng's default of trying every filter at level 6 takes several times as long for files a tenth smaller. */
    png_set_filter(library, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_compression_level(library, 1);
    png_set_compression_buffer_size(library, 1 << 18);
    png_write_info(library, writer->info);
}

int image_png_writer_write_row(image_png_writer *writer, const uint8_t *row, size_t count) {
    size_t needed = (size_t)writer->width * (size_t)writer->channels * (size_t)(writer->bit_depth / 8);
    if (count < needed || writer->next_row == writer->height) return EINVAL;
    if (writer->failure != 0) return writer->failure;
    if (setjmp(png_jmpbuf(writer->library))) return writer->failure;
    if (!writer->started) start(writer);
    png_write_row(writer->library, row);
    writer->next_row++;
    return 0;
}

int image_png_writer_finish(image_png_writer *writer) {
    if (writer->failure != 0) return writer->failure;
    if (writer->next_row != writer->height) return EINVAL;
    if (setjmp(png_jmpbuf(writer->library))) return writer->failure;
    png_write_end(writer->library, NULL);
    return 0;
}

void image_png_writer_destroy(image_png_writer *writer) {
    if (!writer) return;
    if (writer->library) png_destroy_write_struct(&writer->library, &writer->info);
    free(writer);
}
