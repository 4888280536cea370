// Documents and the accessors of their messages.
#include "Document.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>

#include <memory>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

namespace connx {
namespace {

bool parse(Message *message, const std::string &bytes, int depth) {
    google::protobuf::io::CodedInputStream input(
        reinterpret_cast<const uint8_t *>(bytes.data()), static_cast<int>(bytes.size()));
    input.SetRecursionLimit(depth);
    return message->ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

bool parseNewerChildren(connx_document &document, Message &owner, int depth) {
    const int number = newerMessageField(owner.GetDescriptor());
    UnknownFieldSet &unknown = *owner.GetReflection()->MutableUnknownFields(&owner);
    for (int index = 0; index < unknown.field_count(); index += 1) {
        const UnknownField &field = unknown.field(index);
        if (field.number() != number || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
        Message *child = document.createNewerChild(&owner);
        if (!parse(child, field.length_delimited(), depth)) return false;
        document.newerChildren[&owner].push_back(child);
    }
    unknown.DeleteByNumber(number);
    return true;
}

bool parseNewerChildren(connx_document &document, onnx::GraphProto &graph, int depth);

bool parseNewerChildren(connx_document &document, onnx::AttributeProto &attribute, int depth) {
    if (attribute.has_g() && !parseNewerChildren(document, *attribute.mutable_g(), depth)) return false;
    for (auto &graph : *attribute.mutable_graphs()) {
        if (!parseNewerChildren(document, graph, depth)) return false;
    }
    return true;
}

template <typename Nodes>
bool parseNewerChildrenOfNodes(connx_document &document, Nodes &nodes, int depth) {
    for (auto &node : nodes) {
        if (!parseNewerChildren(document, static_cast<Message &>(node), depth)) return false;
        for (auto &attribute : *node.mutable_attribute()) {
            if (!parseNewerChildren(document, attribute, depth)) return false;
        }
    }
    return true;
}

bool parseNewerChildren(connx_document &document, onnx::GraphProto &graph, int depth) {
    return parseNewerChildrenOfNodes(document, *graph.mutable_node(), depth);
}

bool parseNewerChildren(connx_document &document, int depth) {
    for (auto &function : *document.model->mutable_functions()) {
        if (!parseNewerChildren(document, static_cast<Message &>(function), depth)) return false;
        for (Message *child : document.newerChildren[&function]) {
            if (!parseNewerChildren(document, static_cast<onnx::AttributeProto &>(*child), depth)) return false;
        }
        if (!parseNewerChildrenOfNodes(document, *function.mutable_node(), depth)) return false;
    }
    return !document.model->has_graph() || parseNewerChildren(document, *document.model->mutable_graph(), depth);
}

const UnknownField *lastUnknown(const Message *message, int number) {
    const UnknownFieldSet &unknown = message->GetReflection()->GetUnknownFields(*message);
    for (int index = unknown.field_count() - 1; index >= 0; index -= 1) {
        const UnknownField &field = unknown.field(index);
        if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED) return &field;
    }
    return nullptr;
}

const FieldDescriptor *descriptor(const Message *message, int field) {
    return message->GetDescriptor()->FindFieldByNumber(field);
}

template <typename Element>
void copy(
    const connx_message *handle, int field, FieldDescriptor::CppType type, Element *elements,
    Element (Reflection::*get)(const Message &, const FieldDescriptor *, int) const) {
    const Message *owner = message(handle);
    const FieldDescriptor *found = descriptor(owner, field);
    if (!found || !found->is_repeated()) return;
    const Reflection *reflection = owner->GetReflection();
    const int count = reflection->FieldSize(*owner, found);
    for (int index = 0; index < count; index += 1) {
        elements[index] = found->cpp_type() == type ? (reflection->*get)(*owner, found, index) : Element();
    }
}

}  // namespace
}  // namespace connx

using namespace connx;

connx_document *connx_read(const void *bytes, size_t count, connx_limits limits, connx_failure *failure) {
    *failure = {};
    try {
        auto document = std::make_unique<connx_document>();
        std::string reduced;
        if (!reduce(bytes, count, limits, reduced, *failure)) return nullptr;
        // The walk has counted the depth; libprotobuf counts in the same way, with some slack for its own levels.
        const int depth = limits.depth + 1;
        if (!parse(document->model, reduced, depth) || !parseNewerChildren(*document, depth)) {
            failure->status = CONNX_MALFORMED;
            return nullptr;
        }
        return document.release();
    } catch (const std::bad_alloc &) {
        failure->status = CONNX_OUT_OF_MEMORY;
    } catch (...) {
        failure->status = CONNX_MALFORMED;
    }
    return nullptr;
}

connx_document *connx_create(void) {
    try {
        return new connx_document;
    } catch (...) {
        return nullptr;
    }
}

void connx_destroy(connx_document *document) { delete document; }

connx_message *connx_root(connx_document *document) { return handle(document->model); }

size_t connx_count(const connx_document *document, const connx_message *handle, int field) {
    const Message *owner = message(handle);
    if (const FieldDescriptor *found = descriptor(owner, field)) {
        const Reflection *reflection = owner->GetReflection();
        return found->is_repeated() ? reflection->FieldSize(*owner, found) : reflection->HasField(*owner, found);
    }
    if (messageType(owner->GetDescriptor(), field)) {
        const auto children = document->newerChildren.find(owner);
        return children == document->newerChildren.end() ? 0 : children->second.size();
    }
    return lastUnknown(owner, field) ? 1 : 0;
}

int64_t connx_integer(const connx_message *handle, int field) {
    const Message *owner = message(handle);
    const FieldDescriptor *found = descriptor(owner, field);
    if (!found || found->is_repeated()) return 0;
    const Reflection *reflection = owner->GetReflection();
    switch (found->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32: return reflection->GetInt32(*owner, found);
        case FieldDescriptor::CPPTYPE_INT64: return reflection->GetInt64(*owner, found);
        case FieldDescriptor::CPPTYPE_ENUM: return reflection->GetEnumValue(*owner, found);
        default: return 0;
    }
}

float connx_float(const connx_message *handle, int field) {
    const Message *owner = message(handle);
    const FieldDescriptor *found = descriptor(owner, field);
    if (!found || found->is_repeated() || found->cpp_type() != FieldDescriptor::CPPTYPE_FLOAT) return 0;
    return owner->GetReflection()->GetFloat(*owner, found);
}

connx_bytes connx_text(const connx_message *handle, int field, size_t index) {
    const Message *owner = message(handle);
    const FieldDescriptor *found = descriptor(owner, field);
    const std::string *text = nullptr;
    if (!found) {
        const UnknownField *unknown = lastUnknown(owner, field);
        text = unknown ? &unknown->length_delimited() : nullptr;
    } else if (found->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const Reflection *reflection = owner->GetReflection();
        std::string scratch;
        if (!found->is_repeated()) {
            text = &reflection->GetStringReference(*owner, found, &scratch);
        } else if (index < static_cast<size_t>(reflection->FieldSize(*owner, found))) {
            text = &reflection->GetRepeatedStringReference(*owner, found, static_cast<int>(index), &scratch);
        }
    }
    return text ? connx_bytes{text->data(), text->size()} : connx_bytes{nullptr, 0};
}

const connx_message *connx_child(
    const connx_document *document, const connx_message *handle, int field, size_t index) {
    if (index >= connx_count(document, handle, field)) return nullptr;
    const Message *owner = message(handle);
    const FieldDescriptor *found = descriptor(owner, field);
    if (!found) return connx::handle(document->newerChildren.at(owner)[index]);
    if (found->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return nullptr;
    const Reflection *reflection = owner->GetReflection();
    return connx::handle(
        found->is_repeated() ? &reflection->GetRepeatedMessage(*owner, found, static_cast<int>(index))
                             : &reflection->GetMessage(*owner, found));
}

void connx_copy_int32s(const connx_message *message, int field, int32_t *elements) {
    copy(message, field, FieldDescriptor::CPPTYPE_INT32, elements, &Reflection::GetRepeatedInt32);
}

void connx_copy_int64s(const connx_message *message, int field, int64_t *elements) {
    copy(message, field, FieldDescriptor::CPPTYPE_INT64, elements, &Reflection::GetRepeatedInt64);
}

void connx_copy_uint64s(const connx_message *message, int field, uint64_t *elements) {
    copy(message, field, FieldDescriptor::CPPTYPE_UINT64, elements, &Reflection::GetRepeatedUInt64);
}

void connx_copy_floats(const connx_message *message, int field, float *elements) {
    copy(message, field, FieldDescriptor::CPPTYPE_FLOAT, elements, &Reflection::GetRepeatedFloat);
}

void connx_copy_doubles(const connx_message *message, int field, double *elements) {
    copy(message, field, FieldDescriptor::CPPTYPE_DOUBLE, elements, &Reflection::GetRepeatedDouble);
}

bool connx_payload(const connx_message *tensor, int field, size_t *offset, size_t *count) {
    connx_bytes bytes{nullptr, 0};
    switch (field) {
        case onnx::TensorProto::kRawDataFieldNumber: bytes = connx_text(tensor, field, 0); break;
        case onnx::TensorProto::kFloatDataFieldNumber: bytes = connx_text(tensor, FloatDataPlace, 0); break;
        case onnx::TensorProto::kDoubleDataFieldNumber: bytes = connx_text(tensor, DoubleDataPlace, 0); break;
        default: break;
    }
    Place place;
    if (!Place::parse(bytes.start, bytes.count, place)) return false;
    *offset = place.start;
    *count = place.count;
    return true;
}
