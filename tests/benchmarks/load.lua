-- What wrk asks, and what it says when it is done.
--
--   wrk ... -s load.lua URL -- TOKEN METHOD PATH [ENDS_FILE FIRST] [HEADER VALUE]
--
-- Without a file every request is the same, with an empty body.  With one, each takes the next line of the
-- file as its body, from line FIRST on, and after the last line the first.

local bodies, place, fixed = {}, 0, nil

function init(args)
  local token, method, path, file, first, header, value = unpack(args)
  wrk.method, wrk.path = method, path
  wrk.headers["Authorization"] = "Bearer " .. token
  if header and header ~= "" then wrk.headers[header] = value end
  if file and file ~= "" then
    for line in io.lines(file) do
      bodies[#bodies + 1] = wrk.format(method, path, nil, line)
    end
    place = tonumber(first) % #bodies
  else
    fixed = wrk.format(method, path)
  end
end

function request()
  if fixed then return fixed end
  place = place % #bodies + 1
  return bodies[place]
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "longest": %.6f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
