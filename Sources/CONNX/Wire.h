// What the reading and the writing walk share.
#ifndef CONNX_WIRE_H
#define CONNX_WIRE_H

#include <google/protobuf/descriptor.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace connx {

/// Wire types of the protobuf encoding.
enum WireType : uint32_t { Varint = 0, Fixed64 = 1, Delimited = 2, GroupStart = 3, GroupEnd = 4, Fixed32 = 5 };

/// Fields of FunctionProto and NodeProto that came after libonnx 1.12.
enum NewerField : int { NodeOverload = 8, NodeMetadata = 9, FunctionAttributeProto = 11, FunctionOverload = 13 };

/// Field numbers, in TensorProto, of the places of payloads that cannot stand in for the payload in its own field.
enum PlaceField : int { FloatDataPlace = 1004, DoubleDataPlace = 1010 };

/// Stands for a payload: where it begins (an offset or an address) and its bytes.
struct Place {
    uint64_t start;
    uint64_t count;

    void appendTo(std::string &text) const { text.append(reinterpret_cast<const char *>(this), sizeof *this); }

    static bool parse(const void *bytes, size_t count, Place &place) {
        if (count != sizeof place) return false;
        std::memcpy(&place, bytes, sizeof place);
        return true;
    }
};

/// The type of the messages in a field; null when it is not a message field that anybody reads.
inline const google::protobuf::Descriptor *messageType(const google::protobuf::Descriptor *type, int field) {
    if (const auto *descriptor = type->FindFieldByNumber(field)) return descriptor->message_type();
    if (type == onnx::FunctionProto::descriptor() && field == FunctionAttributeProto) {
        return onnx::AttributeProto::descriptor();
    }
    if (type == onnx::NodeProto::descriptor() && field == NodeMetadata) return onnx::StringStringEntryProto::descriptor();
    return nullptr;
}

/// The field of messages that libonnx does not know, of which each type has at most one that anybody reads; 0 for none.
inline int newerMessageField(const google::protobuf::Descriptor *type) {
    if (type == onnx::FunctionProto::descriptor()) return FunctionAttributeProto;
    return type == onnx::NodeProto::descriptor() ? NodeMetadata : 0;
}

inline bool isNewerText(const google::protobuf::Descriptor *type, int field) {
    return (type == onnx::NodeProto::descriptor() && field == NodeOverload) ||
           (type == onnx::FunctionProto::descriptor() && field == FunctionOverload);
}

}  // namespace connx

#endif
