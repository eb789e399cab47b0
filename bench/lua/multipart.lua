-- SPDX-License-Identifier: Apache-2.0
-- wrk script: POST one JPEG as multipart/form-data. Counts answers that are not 200 or name no prediction.
local path, target = nil, nil
local wrong = 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  path, target = args[1], args[2]
  local file = assert(io.open(path, "rb"))
  local jpeg = file:read("*a")
  file:close()
  local body = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" .. jpeg .. "\r\n--frontier--\r\n"
  request_text = wrk.format("POST", target, {["Content-Type"] = "multipart/form-data; boundary=frontier"}, body)
  bad = 0
end
function request() return request_text end
function response(status, headers, body)
  if status ~= 200 or not string.find(body, "\"prediction\"", 1, true) then bad = bad + 1 end
end
function done(summary, latency)
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  io.write(string.format("RESULT {\"requests\":%d,\"seconds\":%.6f,\"wrong\":%d,\"socket_errors\":%d,\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n", summary.requests,
    summary.duration / 1e6, wrong, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
