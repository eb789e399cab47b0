-- SPDX-License-Identifier: Apache-2.0
-- wrk script: TARGET multipart|json NEEDLE FILE... POSTs the files in turn, as a form or as they are. Counts answers that are not 200 or lack NEEDLE, a Lua pattern.
local wrong = 0
local threads = {}

local function whole(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

function setup(thread) table.insert(threads, thread) end

function init(args)
  local target, form = args[1], args[2]
  needle, requests, turn, bad = args[3], {}, 0, 0
  local media_type = form == "multipart" and "multipart/form-data; boundary=frontier" or "application/json"
  for i = 4, #args do
    local body = whole(args[i])
    if form == "multipart" then
      body = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" .. body .. "\r\n--frontier--\r\n"
    end
    table.insert(requests, wrk.format("POST", target, {["Content-Type"] = media_type}, body))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  if status ~= 200 or not string.find(body, needle) then bad = bad + 1 end
end

function done(summary, latency)
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  io.write(string.format("RESULT {\"requests\":%d,\"seconds\":%.6f,\"wrong\":%d,\"socket_errors\":%d,\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n", summary.requests,
    summary.duration / 1e6, wrong, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
