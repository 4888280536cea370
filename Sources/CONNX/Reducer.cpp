// The walk over the wire format that leaves the payloads behind.
#include "Document.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <string_view>

namespace connx {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

/// Bytes of a length that is filled in when the message has been copied. A varint may be longer than it has to be.
constexpr size_t lengthBytes = 5;

WireType naturalWireType(const FieldDescriptor *field) {
    switch (field->type()) {
        case FieldDescriptor::TYPE_DOUBLE:
        case FieldDescriptor::TYPE_FIXED64:
        case FieldDescriptor::TYPE_SFIXED64: return Fixed64;
        case FieldDescriptor::TYPE_FLOAT:
        case FieldDescriptor::TYPE_FIXED32:
        case FieldDescriptor::TYPE_SFIXED32: return Fixed32;
        case FieldDescriptor::TYPE_STRING:
        case FieldDescriptor::TYPE_BYTES:
        case FieldDescriptor::TYPE_MESSAGE: return Delimited;
        default: return Varint;
    }
}

void appendVarint(std::string &text, uint64_t value) {
    while (value >= 0x80) {
        text.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    text.push_back(static_cast<char>(value));
}

class Reducer {
public:
    Reducer(const uint8_t *bytes, int count, connx_limits limits, std::string &output, connx_failure &failure)
        : bytes(bytes), input(bytes, count), limits(limits), output(output), failure(failure) {
        input.PushLimit(count);
    }

    /// Copies the message between the current position and `end`.
    bool message(const Descriptor *type, int end, int depth) {
        if (depth > limits.depth) return fail(CONNX_TOO_DEEP);
        const bool isTensor = type == onnx::TensorProto::descriptor();
        const Pieces pieces = isTensor ? countPieces(input.CurrentPosition(), end) : Pieces{};
        std::array<int, 32> occurrences{};
        while (input.CurrentPosition() < end) {
            const int start = input.CurrentPosition();
            uint32_t wireType;
            int number;
            if (!tag(number, wireType)) return false;
            const FieldDescriptor *field = type->FindFieldByNumber(number);
            const int index = number < 32 ? occurrences[number]++ : 0;
            path.push_back({field, number, index, {}});
            if (++fields > limits.fields) return fail(CONNX_TOO_MANY_FIELDS);
            if (wireType == Delimited) {
                uint64_t contents;
                if (!input.ReadVarint64(&contents)) return fail(endedOrMalformed());
                const bool isWhole = contents <= static_cast<uint64_t>(input.BytesUntilLimit());
                if (const Descriptor *child = messageType(type, number)) {
                    // A message that is cut short is walked all the same, to say where in it the file ends.
                    if (!nested(child, start, isWhole ? static_cast<int>(contents) : input.BytesUntilLimit(), depth)) {
                        return false;
                    }
                    if (!isWhole) return fail(CONNX_TRUNCATED);
                } else {
                    if (!isWhole) return fail(CONNX_TRUNCATED);
                    const int count = static_cast<int>(contents);
                    if (field && field->name() == "name") label(input.CurrentPosition(), count);
                    const bool isCut = isTensor && cut(number, count, pieces);
                    input.Skip(count);
                    const bool isKnown = field && (naturalWireType(field) == Delimited || field->is_packable());
                    if (!isCut && (isKnown || isNewerText(type, number)) && !copy(start)) return false;
                }
            } else {
                if (!skip(wireType, depth)) return false;
                if (field && naturalWireType(field) == wireType && !copy(start)) return false;
            }
            path.pop_back();
        }
        return true;
    }

private:
    struct Step {
        const FieldDescriptor *field;
        int number;
        int index;
        /// The name of the message, if it has come yet.
        std::string_view name;
    };

    /// How often the fields occur that hold elements exactly as in memory.
    struct Pieces {
        int floatData = 0;
        int doubleData = 0;
    };

    bool tag(int &number, uint32_t &wireType) {
        uint64_t tag;
        if (!input.ReadVarint64(&tag)) return fail(endedOrMalformed());
        wireType = tag & 7;
        number = static_cast<int>(tag >> 3);
        return (tag >> 3) > 0 && (tag >> 3) <= FieldDescriptor::kMaxNumber && wireType <= Fixed32 || fail(CONNX_MALFORMED);
    }

    /// Keeps the name of the message that is being walked.
    void label(int start, int count) {
        if (path.size() < 2) return;
        path[path.size() - 2].name = {reinterpret_cast<const char *>(bytes) + start, std::min<size_t>(count, 60)};
    }

    bool nested(const Descriptor *type, int start, int contents, int depth) {
        const uint8_t *tagStart = bytes + start;
        const uint8_t *tagEnd = tagStart;
        while (*tagEnd++ & 0x80) {}
        output.append(reinterpret_cast<const char *>(tagStart), tagEnd - tagStart);
        const size_t lengthStart = output.size();
        output.append(lengthBytes, '\0');
        const auto limit = input.PushLimit(contents);
        if (!message(type, input.CurrentPosition() + contents, depth + 1)) return false;
        input.PopLimit(limit);
        size_t count = output.size() - lengthStart - lengthBytes;
        for (size_t index = 0; index < lengthBytes; index += 1, count >>= 7) {
            output[lengthStart + index] = static_cast<char>((count & 0x7f) | (index + 1 < lengthBytes ? 0x80 : 0));
        }
        return withinLimit();
    }

    /// Puts the place of a tensor's payload where the payload was; false when the field is not a payload.
    bool cut(int number, int count, const Pieces &pieces) {
        const Place place{static_cast<uint64_t>(input.CurrentPosition()), static_cast<uint64_t>(count)};
        int placeField;
        if (number == onnx::TensorProto::kRawDataFieldNumber) {
            placeField = number;
        } else if (number == onnx::TensorProto::kFloatDataFieldNumber && pieces.floatData == 1) {
            placeField = FloatDataPlace;
        } else if (number == onnx::TensorProto::kDoubleDataFieldNumber && pieces.doubleData == 1) {
            placeField = DoubleDataPlace;
        } else {
            return false;
        }
        appendVarint(output, static_cast<uint64_t>(placeField) << 3 | Delimited);
        appendVarint(output, sizeof place);
        place.appendTo(output);
        return true;
    }

    Pieces countPieces(int start, int end) {
        Pieces pieces;
        CodedInputStream tensor(bytes + start, end - start);
        while (const uint32_t tag = tensor.ReadTagNoLastTag()) {
            const uint32_t number = tag >> 3;
            pieces.floatData += number == onnx::TensorProto::kFloatDataFieldNumber;
            pieces.doubleData += number == onnx::TensorProto::kDoubleDataFieldNumber;
            uint64_t value;
            switch (tag & 7) {
                case Varint:
                    if (!tensor.ReadVarint64(&value)) return pieces;
                    break;
                case Fixed64:
                    if (!tensor.Skip(8)) return pieces;
                    break;
                case Fixed32:
                    if (!tensor.Skip(4)) return pieces;
                    break;
                case Delimited:
                    if (!tensor.ReadVarint64(&value) || value > INT_MAX || !tensor.Skip(static_cast<int>(value))) {
                        return pieces;
                    }
                    break;
                default: return pieces;
            }
        }
        return pieces;
    }

    bool skip(uint32_t wireType, int depth) {
        uint64_t value;
        switch (wireType) {
            case Varint: return input.ReadVarint64(&value) || fail(endedOrMalformed());
            case Fixed64: return input.Skip(8) || fail(CONNX_TRUNCATED);
            case Fixed32: return input.Skip(4) || fail(CONNX_TRUNCATED);
            case Delimited: {
                if (!input.ReadVarint64(&value)) return fail(endedOrMalformed());
                if (value > static_cast<uint64_t>(input.BytesUntilLimit())) return fail(CONNX_TRUNCATED);
                return input.Skip(static_cast<int>(value));
            }
            case GroupStart: {
                if (depth >= limits.depth) return fail(CONNX_TOO_DEEP);
                while (true) {
                    int number;
                    if (!tag(number, wireType)) return false;
                    if (++fields > limits.fields) return fail(CONNX_TOO_MANY_FIELDS);
                    if (wireType == GroupEnd) return true;
                    if (!skip(wireType, depth + 1)) return false;
                }
            }
            default: return fail(CONNX_MALFORMED);
        }
    }

    bool copy(int start) {
        output.append(reinterpret_cast<const char *>(bytes) + start, input.CurrentPosition() - start);
        return withinLimit();
    }

    bool withinLimit() { return output.size() <= limits.structureBytes || fail(CONNX_TOO_LARGE); }

    /// A varint that cannot be read either meets the end or is longer than ten bytes.
    connx_status endedOrMalformed() { return input.BytesUntilLimit() <= 0 ? CONNX_TRUNCATED : CONNX_MALFORMED; }

    bool fail(connx_status status) {
        failure.status = status;
        failure.offset = static_cast<size_t>(input.CurrentPosition());
        std::string name;
        for (const Step &step : path) {
            if (!name.empty()) name += '.';
            name += step.field ? step.field->name() : "field " + std::to_string(step.number);
            if (step.field && step.field->is_repeated()) name += '[' + std::to_string(step.index) + ']';
            if (!step.name.empty()) name.append(" '").append(step.name).append("'");
        }
        std::snprintf(failure.field, sizeof failure.field, "%s", name.c_str());
        return false;
    }

    const uint8_t *bytes;
    CodedInputStream input;
    const connx_limits limits;
    std::string &output;
    connx_failure &failure;
    std::vector<Step> path;
    size_t fields = 0;
};

}  // namespace

bool reduce(const void *bytes, size_t count, connx_limits limits, std::string &reduced, connx_failure &failure) {
    if (count >= INT_MAX) {
        failure.status = CONNX_TOO_LARGE;
        return false;
    }
    limits.structureBytes = std::min(limits.structureBytes, static_cast<size_t>(INT_MAX));
    const int end = static_cast<int>(count);
    return Reducer(static_cast<const uint8_t *>(bytes), end, limits, reduced, failure)
        .message(onnx::ModelProto::descriptor(), end, 1);
}

}  // namespace connx
