// Fetches the description of the API from a running server into src/api/openapi.json.
//
//   npm run openapi [-- URL]      URL of a dashboard, else http://127.0.0.1:8051
import { writeFileSync } from "node:fs";

const url = process.argv[2] ?? "http://127.0.0.1:8051";
const answer = await fetch(`${url}/openapi.json`);
if (!answer.ok) throw new Error(`${url}/openapi.json answers ${answer.status}`);
const document = await answer.json();

// Problems are the same everywhere, and half of the document: the application reads them by their form.
for (const methods of Object.values(document.paths)) {
  for (const operation of Object.values(methods)) {
    for (const status of Object.keys(operation.responses)) {
      if (!status.startsWith("2")) delete operation.responses[status];
    }
  }
}
writeFileSync(new URL("../src/api/openapi.json", import.meta.url), `${JSON.stringify(document, null, 1)}\n`);
