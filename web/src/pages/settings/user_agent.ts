/** What program somebody signed in with, in words. The order counts: each of them claims to be those below it. */

const browsers: [pattern: RegExp, name: string][] = [
  [/\b(?:Edg|EdgA|EdgiOS)\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\bHeadlessChrome\//, "Headless Chrome"],
  [/\b(?:Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];

const systems: [pattern: RegExp, name: string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

const programs: [pattern: RegExp, name: string][] = [
  [/^curl\//, "curl"],
  [/^(?:python-requests|python-httpx|Python-urllib|aiohttp|Python)\b/i, "A Python program"],
  [/^(?:node|undici|axios)\b/i, "A Node.js program"],
  [/^Go-http-client\//, "A Go program"],
  [/^agent-lightning\b/i, "The command line"],
];

const nameIn = (names: [RegExp, string][], text: string) =>
  names.find(([pattern]) => pattern.test(text))?.[1];

/** "Firefox on Linux"; of what is no browser, the program; of what is unknown, how it calls itself. */
export function programOf(userAgent: string): string {
  const text = userAgent.trim();
  if (text === "") return "An unknown program";
  const program = nameIn(programs, text);
  if (program) return program;
  const browser = nameIn(browsers, text);
  const system = nameIn(systems, text);
  if (browser) return system ? `${browser} on ${system}` : browser;
  return text.split(/[\s/(]/)[0] || text;
}

export const isPhone = (userAgent: string) => /\b(?:iPhone|Android.*Mobile)\b/.test(userAgent);
