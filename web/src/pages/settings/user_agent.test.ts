import { expect, test } from "vitest";
import { isPhone, programOf } from "./user_agent";

const chrome =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const iphone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

test.each([
  [chrome, "Chrome on Linux"],
  [chrome.replace("Chrome/", "HeadlessChrome/"), "Headless Chrome on Linux"],
  [`${chrome} Edg/126.0.0.0`, "Edge on Linux"],
  [`${chrome} OPR/110.0`, "Opera on Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Windows"],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Safari on macOS",
  ],
  [iphone, "Safari on iPhone"],
  [
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Chrome on Android",
  ],
  ["curl/8.5.0", "curl"],
  ["Python-urllib/3.11", "A Python program"],
  ["SomeTool/1.2 (+https://example.com)", "SomeTool"],
  ["/odd", "/odd"],
  ["  ", "An unknown program"],
])("%s", (userAgent, words) => {
  expect(programOf(userAgent)).toBe(words);
});

test("phones are told from computers", () => {
  expect(isPhone(iphone)).toBe(true);
  expect(isPhone(chrome)).toBe(false);
});
