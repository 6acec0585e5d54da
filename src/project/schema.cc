// SPDX-License-Identifier: MIT
// The JSON Schema, made of the same tables of keys that read declarations.
#include "project/detail/collected.hh"
#include "project/dump.hh"

#include <nlohmann/json.hpp>

namespace tarn {
namespace {

using declaration::Shape;
using declaration::ShapeKind;
using declaration::TableShape;
using Json = nlohmann::ordered_json;

Json table_schema(const TableShape& table);

Json texts_schema() {
    return {{"type", "array"}, {"items", {{"type", "string"}}}};
}

Json value_schema(const Shape& shape) {
    switch (shape.kind) {
        case ShapeKind::kAny:
            return Json::object();
        case ShapeKind::kText: {
            Json schema = {{"type", "string"}};
            if (!shape.words.empty()) {
                schema["enum"] = shape.words;
            }
            return schema;
        }
        case ShapeKind::kFlag:
            return {{"type", "boolean"}};
        case ShapeKind::kInteger:
            return {{"type", "integer"}};
        case ShapeKind::kSize:
            return {{"type", Json::array({"string", "integer"})}};
        case ShapeKind::kTexts:
            return texts_schema();
        case ShapeKind::kTextOrTexts:
            return {{"anyOf", Json::array({Json{{"type", "string"}}, texts_schema()})}};
        case ShapeKind::kTextMap:
            return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
        case ShapeKind::kTable:
            return table_schema(shape.table());
        case ShapeKind::kTables:
            return {{"type", "array"}, {"items", table_schema(shape.table())}};
        case ShapeKind::kNamedTables:
            return {{"type", "object"}, {"additionalProperties", table_schema(shape.table())}};
        case ShapeKind::kTextsOrTable:
            return {{"anyOf", Json::array({texts_schema(), table_schema(shape.table())})}};
    }
    return Json::object();
}

Json table_schema(const TableShape& table) {
    Json schema = {{"type", "object"}, {"title", table.what}};
    Json properties = Json::object();
    Json required = Json::array();
    for (const auto& key : table.keys) {
        properties[std::string(key.key)] = value_schema(key.shape);
        if (key.required) {
            required.push_back(key.key);
        }
    }
    schema["properties"] = std::move(properties);
    if (!required.empty()) {
        schema["required"] = std::move(required);
    }
    schema["additionalProperties"] = false;
    return schema;
}

std::string document(const TableShape& table, std::string_view title) {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
    schema.update(table_schema(table));
    schema["title"] = title;
    return schema.dump(2) + "\n";
}

}  // namespace

std::string project_schema() {
    return document(declaration::shape_of(declaration::file_kind()), "A declared distribution");
}

std::string overlay_document_schema() {
    return document(declaration::shape_of(declaration::overlay_document_kind()),
                    "An overlay document");
}

}  // namespace tarn
