// Writes what the sources need to know of the API, from api/openapi.json: its types, and what the bodies of requests
// may hold, for the forms.
import { readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";
import ts from "typescript";

const folder = new URL("../src/api/", import.meta.url);
const document = JSON.parse(readFileSync(new URL("openapi.json", folder), "utf8"));

const bodies = {};
for (const methods of Object.values(document.paths)) {
  for (const operation of Object.values(methods)) {
    const reference = operation.requestBody?.content?.["application/json"]?.schema?.$ref;
    const name = reference?.split("/").at(-1);
    if (name) bodies[name] = document.components.schemas[name];
  }
}
writeFileSync(new URL("bodies.json", folder), JSON.stringify(bodies));

// A document may hold anything; the default type of an object without properties is one that is empty.
const unknown = ts.factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword);
const text = ts.factory.createKeywordTypeNode(ts.SyntaxKind.StringKeyword);
const anything = ts.factory.createTypeReferenceNode("Record", [text, unknown]);
const types = await openapi(document, {
  alphabetize: true,
  // What has a default may be left out.
  defaultNonNullable: false,
  transform: (schema) =>
    schema.type === "object" && !schema.properties && !schema.additionalProperties ? anything : undefined,
});
writeFileSync(new URL("schema.d.ts", folder), astToString(types));
