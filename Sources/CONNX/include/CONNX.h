// ONNX files through libprotobuf and libonnx, without their tensor payloads.
//
// Reading: the wire format is walked once, the payload of every tensor is replaced by its place in the file, unknown
// fields that nobody reads are dropped, and libprotobuf parses the remainder into libonnx's ModelProto. Writing is the
// inverse: a ModelProto is built with payloads by address, and they are spliced in while the file is written.
//
// Messages are addressed by the field numbers of onnx.proto. A field that libonnx does not know is found among the
// unknown fields, so that newer files can be read and written. Nothing here throws; a message handle is valid as long
// as its document.
#ifndef CONNX_H
#define CONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct connx_document connx_document;
typedef struct connx_message connx_message;

typedef struct {
    const void *start;
    size_t count;
} connx_bytes;

typedef enum {
    CONNX_OK = 0,
    /// The bytes end inside a field.
    CONNX_TRUNCATED,
    /// The bytes are not protobuf.
    CONNX_MALFORMED,
    /// Messages are nested deeper than the limit.
    CONNX_TOO_DEEP,
    /// The structure without payloads, or the file, has more bytes than the limit.
    CONNX_TOO_LARGE,
    /// The structure has more fields than the limit.
    CONNX_TOO_MANY_FIELDS,
    CONNX_OUT_OF_MEMORY,
    /// `systemError` says why.
    CONNX_WRITE_FAILED,
} connx_status;

typedef struct {
    connx_status status;
    int systemError;
    /// Where in the file.
    size_t offset;
    /// The path of field names, such as `graph.node[3].attribute[0].t.raw_data`; ends with a zero byte.
    char field[256];
} connx_failure;

typedef struct {
    /// Bytes of structure, payloads not counted.
    size_t structureBytes;
    /// Fields of all messages together: bounds memory, since an empty message takes two bytes in a file.
    size_t fields;
    int depth;
} connx_limits;

// Reading

/// Parses `count` bytes; they are not needed afterwards. NULL on failure.
connx_document *connx_read(const void *bytes, size_t count, connx_limits limits, connx_failure *failure);

/// An empty model to be written. NULL when memory is short.
connx_document *connx_create(void);

void connx_destroy(connx_document *document);

/// The ModelProto.
connx_message *connx_root(connx_document *document);

/// How often a field occurs; 0 or 1 for one that is not repeated.
size_t connx_count(const connx_document *document, const connx_message *message, int field);

/// An integer or enumeration field, 0 when it is absent.
int64_t connx_integer(const connx_message *message, int field);

/// A float field, 0 when it is absent.
float connx_float(const connx_message *message, int field);

/// A string or bytes field; `index` counts the elements of a repeated one.
connx_bytes connx_text(const connx_message *message, int field, size_t index);

/// A message field; NULL when it is absent.
const connx_message *connx_child(
    const connx_document *document, const connx_message *message, int field, size_t index);

/// Copies all elements of a repeated field, as many as `connx_count` says; a field of another type gives zeros.
void connx_copy_int32s(const connx_message *message, int field, int32_t *elements);
void connx_copy_int64s(const connx_message *message, int field, int64_t *elements);
void connx_copy_uint64s(const connx_message *message, int field, uint64_t *elements);
void connx_copy_floats(const connx_message *message, int field, float *elements);
void connx_copy_doubles(const connx_message *message, int field, double *elements);

/// Where in the file the payload of a TensorProto's `raw_data`, `float_data` or `double_data` lies. The latter two are
/// still in `connx_copy_floats` and `connx_copy_doubles` when they do not lie in one piece.
/// Returns false when the field is absent.
bool connx_payload(const connx_message *tensor, int field, size_t *offset, size_t *count);

// Building: a repeated field is appended to, another is set. All return false when memory is short.

bool connx_add_integer(connx_message *message, int field, int64_t value);
bool connx_add_float(connx_message *message, int field, float value);
bool connx_add_text(connx_message *message, int field, const void *bytes, size_t count);
/// A new element of a message field; NULL when memory is short.
connx_message *connx_add_child(connx_document *document, connx_message *message, int field);
/// `raw_data` of a TensorProto; the bytes must be valid until the document has been written.
bool connx_add_payload(connx_message *tensor, const void *bytes, size_t count);

/// Where payloads of at least as many bytes begin in a file: at multiples of this.
enum { connx_alignment = 64 };

/// Writes the document to a file descriptor that stands at the beginning of a file. A TensorProto with a payload must
/// have a `doc_string`, perhaps an empty one: payloads are moved to their alignment by occurrences of `doc_string` that
/// the last one replaces. The document cannot be changed or written again afterwards.
bool connx_write(connx_document *document, int descriptor, connx_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
