local token = os.getenv("BENCH_TOKEN")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. token
local host = os.getenv("BENCH_CUSTOM_HOST")
if host then
  wrk.headers["x-portkey-provider"] = "openai"
  wrk.headers["x-portkey-custom-host"] = host
end
wrk.body = '{"model":"gpt-5-mini","messages":[{"role":"system","content":"You are a helpful assistant that answers in ' ..
  'one short paragraph."},{"role":"user","content":"How do I stop SQL injection in a web application?"}],' ..
  '"temperature":0.2,"max_tokens":512}'
function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %f %f %f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end
