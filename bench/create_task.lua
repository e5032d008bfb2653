local token = os.getenv("BENCH_TOKEN")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if token then wrk.headers["Authorization"] = "Bearer " .. token end
wrk.body = '{"description": "How do I stop SQL injection?"}'
function init(args) math.randomseed(os.time()) end
function request() return wrk.format(nil, os.getenv("BENCH_PATH") .. "bench_" .. math.random(1, 1000) .. "/tasks") end
function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %f %f %f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end
