/** What somebody fills in to register an instance, and the body that it makes. */
import type { Schemas } from "../../api/client";

export interface RegistrationValues {
  name: string;
  host: string;
  port: string;
  scheme: "http" | "https";
  release: string;
  zone: string;
  weight: string;
  tags: string;
  depends_on: string;
  health_path: string;
  ttl_seconds: string;
  metadata: string;
}

export const emptyRegistration: RegistrationValues = {
  name: "",
  host: "",
  port: "",
  scheme: "http",
  release: "",
  zone: "",
  weight: "",
  tags: "",
  depends_on: "",
  health_path: "",
  ttl_seconds: "",
  metadata: "",
};

/** "a, b,,a" to ["a", "b"]. */
export function listOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    ),
  ];
}

/** What is empty is left out: the server has its own value for it. */
export function bodyOf(values: RegistrationValues): Schemas["ServiceInstanceCreate"] {
  const body: Schemas["ServiceInstanceCreate"] = {
    name: values.name.trim(),
    host: values.host.trim(),
    port: Number(values.port),
    scheme: values.scheme,
  };
  if (values.release.trim()) body.release = values.release.trim();
  if (values.zone.trim()) body.zone = values.zone.trim();
  if (values.weight) body.weight = Number(values.weight);
  if (values.health_path.trim()) body.health_path = values.health_path.trim();
  if (values.ttl_seconds) body.ttl_seconds = Number(values.ttl_seconds);
  const tags = listOf(values.tags);
  if (tags.length > 0) body.tags = tags;
  const dependsOn = listOf(values.depends_on);
  if (dependsOn.length > 0) body.depends_on = dependsOn;
  if (values.metadata.trim()) body.metadata = JSON.parse(values.metadata) as Record<string, never>;
  return body;
}
