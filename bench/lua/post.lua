-- SPDX-License-Identifier: Apache-2.0
-- wrk script: FILE TARGET multipart|json. POSTs the file as a form or as it is. Counts answers that are not 200 or name no prediction.
local wrong = 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  local path, target, form = args[1], args[2], args[3]
  local file = assert(io.open(path, "rb"))
  local body = file:read("*a")
  file:close()
  local media_type = "application/json"
  if form == "multipart" then
    media_type = "multipart/form-data; boundary=frontier"
    body = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" .. body .. "\r\n--frontier--\r\n"
  end
  request_text = wrk.format("POST", target, {["Content-Type"] = media_type}, body)
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
