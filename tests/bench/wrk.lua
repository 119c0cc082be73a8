-- What wrk sends, from the files that traffic.py wrote: copies go out, and come back some messages later, alternating.
--   wrk … -s wrk.lua URL -- FOLDER RUN LAG
-- wrk does not say on which connection a request goes, so a copy comes back LAG messages after it went out: with twice
-- as many as there are connections, its check-out has been answered by then.

local out, back, items, run, lag
local sent, gone, home = 0, 0, 0     -- messages; copies that went out, and came back
local looked = false

local function read(path)
   local file = assert(io.open(path, "rb"))
   local text = file:read("*a")
   file:close()
   return text
end

local function slotted(path)
   local text = read(path)
   local item, item_end = text:find("@+")
   local request, request_end = text:find("#+")
   if item < request then
      local head, middle, tail = text:sub(1, item - 1), text:sub(item_end + 1, request - 1), text:sub(request_end + 1)
      return function(i, r) return head .. i .. middle .. r .. tail end
   end
   local head, middle, tail = text:sub(1, request - 1), text:sub(request_end + 1, item - 1), text:sub(item_end + 1)
   return function(i, r) return head .. r .. middle .. i .. tail end
end

function init(args)
   out, back = slotted(args[1] .. "/check-out.http"), slotted(args[1] .. "/check-in.http")
   items = {}
   for line in io.lines(args[1] .. "/items.txt") do items[#items + 1] = line end
   run, lag = args[2], tonumber(args[3])
end

function request()
   if not looked then       -- wrk looks at one request before it begins, and does not send it
      looked = true
      return out(items[1], run .. "-000000000")
   end
   sent = sent + 1
   local write, number
   if sent > lag and sent % 2 == 0 then
      write, number, home = back, home, home + 1
   else
      write, number, gone = out, gone, gone + 1
   end
   return write(items[number % #items + 1], string.format("%s-%09d", run, number))
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
