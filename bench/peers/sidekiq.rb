# sidekiq.rb: Sidekiq on Redis: what program.mjs is for the others. Required by a worker of Sidekiq's,
# it is the job; run by itself it hands out jobs: one N | bulk N | pickup N | delay N.
require 'json'
require 'sidekiq'

BULK = 1000
PICKUP_EVERY = 0.02
DELAY_EVERY = 0.007
DELAY_MS = 1000
PAYLOAD_LEN = 64

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def wall_ms
  Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
end

# What handlers saw, told now and then as a line of JSON.
class Board
  def initialize(kind)
    @kind = kind
    @lock = Mutex.new
    @seen = { count: 0, first: 0, last: 0, values: [] }
  end

  def begun(time)
    @lock.synchronize do
      @seen[:last] = now
      @seen[:first] = @seen[:last] if @seen[:count].zero?
      @seen[:count] += 1
      @seen[:values] << (@seen[:last] - time) / 1e6 if @kind == 'pickup'
      @seen[:values] << wall_ms - time if @kind == 'delay'
    end
  end

  def tell_forever
    told = nil
    loop do
      line, count = @lock.synchronize { [@seen.to_json, @seen[:count]].tap { @seen[:values] = [] } }
      $stdout.syswrite("#{line}\n") unless count == told
      told = count
      sleep 0.02
    end
  end
end

BOARD = Board.new(ENV.fetch('BENCH_KIND', ''))

class Job
  include Sidekiq::Worker
  sidekiq_options queue: 'bench'

  def perform(data)
    BOARD.begun(data['t'])
  end
end

def payload(number, time)
  data = { t: time, i: number, p: '' }
  { 't' => time, 'i' => number, 'p' => 'x' * (PAYLOAD_LEN - data.to_json.size) }
end

def dispatch(what, total)
  case what
  when 'one' then total.times { |i| Job.perform_async(payload(i, now)) }
  when 'bulk'
    (0...total).each_slice(BULK) do |part|
      Sidekiq::Client.push_bulk('class' => Job, 'args' => part.map { |i| [payload(i, now)] })
    end
  when 'pickup' then total.times { |i| Job.perform_async(payload(i, now)) && sleep(PICKUP_EVERY) }
  when 'delay'
    total.times do |i|
      due = wall_ms + DELAY_MS
      Job.perform_at(due / 1000.0, payload(i, due)) && sleep(DELAY_EVERY)
    end
  end
end

redis = { url: ENV.fetch('BENCH_URL').sub('redis+unix:', 'unix://') }
# Debian's client of Redis is newer than its Sidekiq and would warn with every call, which takes time.
Redis.silence_deprecations = true
Redis.sadd_returns_boolean = false
Sidekiq.logger.level = Logger::ERROR
Sidekiq.configure_client { |config| config.redis = redis }
Sidekiq.configure_server do |config|
  config.redis = redis
  config.on(:startup) { Thread.new { BOARD.tell_forever } }
end

unless Sidekiq.server?
  Sidekiq.redis(&:ping)
  from = now
  dispatch(ARGV[0], Integer(ARGV[1]))
  puts (now - from) / 1e9
end
