#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "decoder.h"

typedef struct {
    WebPDemuxer *container;
    WebPDemuxState progress;
    WebPIterator frame;
    WebPChunkIterator exif;
} webp_state;

static image_status fail_with(image_decoder *decoder, VP8StatusCode code) {
    switch (code) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return image_decoder_fail(decoder, IMAGE_STATUS_TRUNCATED, "the file ends before the picture is complete");
    case VP8_STATUS_OUT_OF_MEMORY: return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "a feature that libwebp does not know");
    default: return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the compressed data cannot be read");
    }
}

static image_status read_header(image_decoder *decoder) {
    webp_state *state = calloc(1, sizeof *state);
    if (!state) return image_decoder_fail(decoder, IMAGE_STATUS_NO_MEMORY, "no memory for the decoder");
    decoder->state = state;
    WebPData data = {decoder->bytes, decoder->count};
    state->container = WebPDemuxPartial(&data, &state->progress);
    if (state->progress == WEBP_DEMUX_PARSE_ERROR)
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the container of the file cannot be read");
    if (!state->container) return fail_with(decoder, VP8_STATUS_NOT_ENOUGH_DATA);
    decoder->header.width = WebPDemuxGetI(state->container, WEBP_FF_CANVAS_WIDTH);
    decoder->header.height = WebPDemuxGetI(state->container, WEBP_FF_CANVAS_HEIGHT);
    if (decoder->header.width == 0 || decoder->header.height == 0)
        return fail_with(decoder, VP8_STATUS_NOT_ENOUGH_DATA);
    if (WebPDemuxGetChunk(state->container, "EXIF", 1, &state->exif)) {
        decoder->header.exif = state->exif.chunk.bytes;
        decoder->header.exif_count = state->exif.chunk.size;
    }
    return IMAGE_STATUS_OK;
}

/* The first frame and where it starts in the picture. */
static image_status find_frame(image_decoder *decoder, size_t *offset) {
    webp_state *state = decoder->state;
    WebPIterator *frame = &state->frame;
    size_t width = decoder->header.width, height = decoder->header.height;
    if (state->progress != WEBP_DEMUX_DONE) return fail_with(decoder, VP8_STATUS_NOT_ENOUGH_DATA);
    if (!WebPDemuxGetFrame(state->container, 1, frame))
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the file holds no picture");
    if (frame->num_frames > 1) image_decoder_warn(decoder, "the picture is animated: the first frame is used");
    if (frame->has_alpha)
        image_decoder_warn(decoder, "transparency is ignored: the colours are used as they are stored");
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width <= 0 || frame->height <= 0
        || (size_t)frame->x_offset + (size_t)frame->width > width
        || (size_t)frame->y_offset + (size_t)frame->height > height)
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the first frame lies outside the picture");
    *offset = 3 * ((size_t)frame->y_offset * width + (size_t)frame->x_offset);
    return IMAGE_STATUS_OK;
}

static image_status read_pixels(image_decoder *decoder, uint8_t *rgb) {
    webp_state *state = decoder->state;
    const WebPIterator *frame = &state->frame;
    size_t width = decoder->header.width, height = decoder->header.height, offset;
    image_status status = find_frame(decoder, &offset);
    if (status != IMAGE_STATUS_OK) return status;

    WebPDecoderConfig configuration;
    if (!WebPInitDecoderConfig(&configuration))
        return image_decoder_fail(decoder, IMAGE_STATUS_UNSUPPORTED, "another version of libwebp is installed");
    VP8StatusCode code = WebPGetFeatures(frame->fragment.bytes, frame->fragment.size, &configuration.input);
    if (code != VP8_STATUS_OK) return fail_with(decoder, code);
    if (configuration.input.width != frame->width || configuration.input.height != frame->height)
        return image_decoder_fail(decoder, IMAGE_STATUS_CORRUPT, "the sizes of frame and picture disagree");

    if ((size_t)frame->width != width || (size_t)frame->height != height) {
        image_decoder_warn(decoder, "the first frame covers a part of the picture: the rest is black");
        memset(rgb, 0, 3 * width * height);
    }
    configuration.output.colorspace = MODE_RGB;
    configuration.output.is_external_memory = 1;
    configuration.output.u.RGBA.rgba = rgb + offset;
    configuration.output.u.RGBA.stride = (int)(3 * width);
    configuration.output.u.RGBA.size = 3 * width * height - offset;
    code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &configuration);
    WebPFreeDecBuffer(&configuration.output);
    return code == VP8_STATUS_OK ? IMAGE_STATUS_OK : fail_with(decoder, code);
}

static void destroy(image_decoder *decoder) {
    webp_state *state = decoder->state;
    WebPDemuxReleaseChunkIterator(&state->exif);
    WebPDemuxReleaseIterator(&state->frame);
    WebPDemuxDelete(state->container);
    free(state);
}

const image_codec_functions image_webp_functions = {read_header, read_pixels, destroy};
