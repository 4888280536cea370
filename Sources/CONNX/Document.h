#ifndef CONNX_DOCUMENT_H
#define CONNX_DOCUMENT_H

#include "CONNX.h"
#include "Wire.h"

#include <google/protobuf/arena.h>

#include <string>
#include <unordered_map>
#include <vector>

struct connx_document {
    google::protobuf::Arena arena;
    onnx::ModelProto *model = google::protobuf::Arena::CreateMessage<onnx::ModelProto>(&arena);

    /// Messages in fields that libonnx does not know: the attributes with defaults of functions, the metadata of nodes.
    std::unordered_map<const google::protobuf::Message *, std::vector<google::protobuf::Message *>> newerChildren;

    /// An empty message of the type of an owner's newer field.
    google::protobuf::Message *createNewerChild(const google::protobuf::Message *owner) {
        if (owner->GetDescriptor() == onnx::NodeProto::descriptor()) {
            return google::protobuf::Arena::CreateMessage<onnx::StringStringEntryProto>(&arena);
        }
        return google::protobuf::Arena::CreateMessage<onnx::AttributeProto>(&arena);
    }
};

namespace connx {

inline connx_message *handle(const google::protobuf::Message *message) {
    return reinterpret_cast<connx_message *>(const_cast<google::protobuf::Message *>(message));
}

inline google::protobuf::Message *message(connx_message *handle) {
    return reinterpret_cast<google::protobuf::Message *>(handle);
}

inline const google::protobuf::Message *message(const connx_message *handle) {
    return reinterpret_cast<const google::protobuf::Message *>(handle);
}

/// Copies the model at `bytes` without its payloads. Returns false and says why in `failure` when it cannot.
bool reduce(const void *bytes, size_t count, connx_limits limits, std::string &reduced, connx_failure &failure);

}  // namespace connx

#endif
