// Writing a document: the inverse of the reducing walk. Lengths first, because a message's length stands before it;
// then the bytes, with the payloads straight from where they lie.
#include "Document.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace connx {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

/// Two occurrences of `doc_string` around a payload have this many characters together, however they are divided: the
/// size of a tensor does not depend on where it stands.
constexpr size_t paddingCharacters = connx_alignment - 1;
constexpr size_t paddingBytes = paddingCharacters + 4;
static_assert(paddingCharacters < 0x80, "lengths of padding take one byte");

class Output {
public:
    explicit Output(int descriptor) : descriptor(descriptor) {}

    uint64_t position() const { return written + buffer.size(); }
    int error() const { return systemError; }

    void append(const void *bytes, size_t count) {
        if (buffer.size() + count > capacity) flush();
        if (count > capacity) {
            write(static_cast<const char *>(bytes), count);
        } else {
            buffer.append(static_cast<const char *>(bytes), count);
        }
    }

    void varint(uint64_t value) {
        uint8_t bytes[10];
        append(bytes, CodedOutputStream::WriteVarint64ToArray(value, bytes) - bytes);
    }

    void flush() {
        write(buffer.data(), buffer.size());
        buffer.clear();
    }

private:
    static constexpr size_t capacity = 1 << 16;

    void write(const char *bytes, size_t count) {
        while (count > 0 && systemError == 0) {
            const ssize_t result = ::write(descriptor, bytes, count);
            if (result < 0 && errno == EINTR) continue;
            if (result < 0) {
                systemError = errno;
                return;
            }
            bytes += result;
            count -= static_cast<size_t>(result);
            written += static_cast<uint64_t>(result);
        }
    }

    int descriptor;
    int systemError = 0;
    uint64_t written = 0;
    std::string buffer;
};

class Splicer {
public:
    explicit Splicer(const std::string &reduced)
        : bytes(reinterpret_cast<const uint8_t *>(reduced.data())), size(static_cast<int>(reduced.size())) {}

    /// The size of the spliced model; remembers the lengths of its messages.
    uint64_t measure() {
        CodedInputStream input(bytes, size);
        return measure(onnx::ModelProto::descriptor(), input, size);
    }

    void write(Output &output) {
        CodedInputStream input(bytes, size);
        write(onnx::ModelProto::descriptor(), input, size, output);
        output.flush();
    }

private:
    struct Field {
        int start;
        uint32_t tag;
        /// Of a delimited field.
        int contents = 0;
        /// The type of the message in it, if any.
        const Descriptor *type = nullptr;
        bool isPayload = false;
        Place place{};

        int number() const { return static_cast<int>(tag >> 3); }
    };

    /// Reads a field up to the contents of a message, or to its end. The bytes are libprotobuf's own.
    Field next(const Descriptor *type, CodedInputStream &input) {
        Field field;
        field.start = input.CurrentPosition();
        field.tag = input.ReadTagNoLastTag();
        uint64_t value;
        switch (field.tag & 7) {
            case Varint: input.ReadVarint64(&value); break;
            case Fixed64: input.Skip(8); break;
            case Fixed32: input.Skip(4); break;
            default:
                input.ReadVarint64(&value);
                field.contents = static_cast<int>(value);
                field.type = messageType(type, field.number());
                field.isPayload = type == onnx::TensorProto::descriptor() &&
                                  field.number() == onnx::TensorProto::kRawDataFieldNumber &&
                                  Place::parse(bytes + input.CurrentPosition(), field.contents, field.place);
                if (!field.type) input.Skip(field.contents);
        }
        return field;
    }

    uint64_t measure(const Descriptor *type, CodedInputStream &input, int end) {
        uint64_t total = 0;
        while (input.CurrentPosition() < end) {
            const Field field = next(type, input);
            if (field.type) {
                const size_t slot = lengths.size();
                lengths.push_back(0);
                lengths[slot] = measure(field.type, input, input.CurrentPosition() + field.contents);
                total += delimitedSize(field, lengths[slot]);
            } else if (field.isPayload) {
                total += delimitedSize(field, field.place.count) + (isAligned(field) ? paddingBytes : 0);
            } else {
                total += static_cast<uint64_t>(input.CurrentPosition() - field.start);
            }
        }
        return total;
    }

    void write(const Descriptor *type, CodedInputStream &input, int end, Output &output) {
        while (input.CurrentPosition() < end && output.error() == 0) {
            const Field field = next(type, input);
            if (field.type) {
                output.varint(field.tag);
                output.varint(lengths[written++]);
                write(field.type, input, input.CurrentPosition() + field.contents, output);
            } else if (field.isPayload) {
                writePayload(field, output);
            } else {
                output.append(bytes + field.start, static_cast<size_t>(input.CurrentPosition() - field.start));
            }
        }
    }

    void writePayload(const Field &field, Output &output) {
        size_t before = 0;
        if (isAligned(field)) {
            const uint64_t header = delimitedSize(field, field.place.count) - field.place.count;
            const uint64_t unpadded = output.position() + 2 + header;
            before = (connx_alignment - unpadded % connx_alignment) % connx_alignment;
            writePadding(before, output);
        }
        output.varint(field.tag);
        output.varint(field.place.count);
        output.append(reinterpret_cast<const void *>(field.place.start), field.place.count);
        if (isAligned(field)) writePadding(paddingCharacters - before, output);
    }

    void writePadding(size_t characters, Output &output) {
        output.varint(onnx::TensorProto::kDocStringFieldNumber << 3 | Delimited);
        output.varint(characters);
        output.append(std::string(characters, ' ').data(), characters);
    }

    static bool isAligned(const Field &field) { return field.place.count >= connx_alignment; }

    static uint64_t delimitedSize(const Field &field, uint64_t count) {
        return CodedOutputStream::VarintSize32(field.tag) + CodedOutputStream::VarintSize64(count) + count;
    }

    const uint8_t *bytes;
    const int size;
    std::vector<uint64_t> lengths;
    size_t written = 0;
};

}  // namespace
}  // namespace connx

using namespace connx;

bool connx_write(connx_document *document, int descriptor, connx_failure *failure) {
    *failure = {};
    try {
        // Nodes first: the attributes of functions may hold graphs.
        for (const auto *type : {onnx::NodeProto::descriptor(), onnx::FunctionProto::descriptor()}) {
            for (auto &[owner, children] : document->newerChildren) {
                if (owner->GetDescriptor() != type) continue;
                auto *unknown = owner->GetReflection()->MutableUnknownFields(
                    const_cast<google::protobuf::Message *>(owner));
                for (const auto *child : children) {
                    unknown->AddLengthDelimited(newerMessageField(type), child->SerializeAsString());
                }
            }
        }
        document->newerChildren.clear();
        std::string reduced;
        if (document->model->ByteSizeLong() > INT_MAX || !document->model->SerializeToString(&reduced)) {
            failure->status = CONNX_TOO_LARGE;
            return false;
        }
        Splicer splicer(reduced);
        if (splicer.measure() > INT_MAX) {
            failure->status = CONNX_TOO_LARGE;
            return false;
        }
        Output output(descriptor);
        splicer.write(output);
        if (output.error() == 0) return true;
        failure->status = CONNX_WRITE_FAILED;
        failure->systemError = output.error();
    } catch (...) {
        failure->status = CONNX_OUT_OF_MEMORY;
    }
    return false;
}
