// Filling messages that are to be written.
#include "Document.h"

#include <google/protobuf/unknown_field_set.h>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

using namespace connx;

namespace {

template <typename Body>
bool guarded(Body body) {
    try {
        return body();
    } catch (...) {
        return false;
    }
}

}  // namespace

bool connx_add_integer(connx_message *handle, int field, int64_t value) {
    return guarded([&] {
        Message *owner = message(handle);
        const Reflection *reflection = owner->GetReflection();
        const FieldDescriptor *found = owner->GetDescriptor()->FindFieldByNumber(field);
        if (!found) return false;
        switch (found->cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT64:
                found->is_repeated() ? reflection->AddInt64(owner, found, value)
                                     : reflection->SetInt64(owner, found, value);
                return true;
            case FieldDescriptor::CPPTYPE_INT32:
                found->is_repeated() ? reflection->AddInt32(owner, found, static_cast<int32_t>(value))
                                     : reflection->SetInt32(owner, found, static_cast<int32_t>(value));
                return true;
            case FieldDescriptor::CPPTYPE_ENUM:
                reflection->SetEnumValue(owner, found, static_cast<int>(value));
                return true;
            default: return false;
        }
    });
}

bool connx_add_float(connx_message *handle, int field, float value) {
    return guarded([&] {
        Message *owner = message(handle);
        const Reflection *reflection = owner->GetReflection();
        const FieldDescriptor *found = owner->GetDescriptor()->FindFieldByNumber(field);
        if (!found || found->cpp_type() != FieldDescriptor::CPPTYPE_FLOAT) return false;
        found->is_repeated() ? reflection->AddFloat(owner, found, value) : reflection->SetFloat(owner, found, value);
        return true;
    });
}

bool connx_add_text(connx_message *handle, int field, const void *bytes, size_t count) {
    return guarded([&] {
        Message *owner = message(handle);
        const Reflection *reflection = owner->GetReflection();
        const FieldDescriptor *found = owner->GetDescriptor()->FindFieldByNumber(field);
        std::string text(static_cast<const char *>(bytes), count);
        if (!found && isNewerText(owner->GetDescriptor(), field)) {
            reflection->MutableUnknownFields(owner)->AddLengthDelimited(field, text);
            return true;
        }
        if (!found || found->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return false;
        found->is_repeated() ? reflection->AddString(owner, found, std::move(text))
                             : reflection->SetString(owner, found, std::move(text));
        return true;
    });
}

connx_message *connx_add_child(connx_document *document, connx_message *handle, int field) {
    connx_message *child = nullptr;
    guarded([&] {
        Message *owner = message(handle);
        const Reflection *reflection = owner->GetReflection();
        const FieldDescriptor *found = owner->GetDescriptor()->FindFieldByNumber(field);
        if (found && found->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
            child = connx::handle(
                found->is_repeated() ? reflection->AddMessage(owner, found) : reflection->MutableMessage(owner, found));
        } else if (messageType(owner->GetDescriptor(), field)) {
            Message *newer = document->createNewerChild(owner);
            document->newerChildren[owner].push_back(newer);
            child = connx::handle(newer);
        }
        return true;
    });
    return child;
}

bool connx_add_payload(connx_message *tensor, const void *bytes, size_t count) {
    return guarded([&] {
        std::string place;
        Place{reinterpret_cast<uintptr_t>(bytes), count}.appendTo(place);
        return connx_add_text(tensor, onnx::TensorProto::kRawDataFieldNumber, place.data(), place.size());
    });
}
