// Load: opens N watches over TLS and swallows what comes, cheaply enough not to be the limit.
//
//   g++ -std=c++20 -O2 native/tools/watch-client.cc -o build/watch-client -lssl -lcrypto
//   build/watch-client HOST PORT COUNT PATH [--token T] [--cert FILE --key FILE] [--accept TYPE]
//                      [--verify | --sample N] [--stalled K] [--rate BYTES]
//
// After the handshakes it prints `ready COUNT`. Each second, and at the end (SIGTERM), it prints
// `t seconds, bytes, events, closed`. Without --verify bytes are dropped in the kernel, undecrypted, and
// events are 0; with it every frame's resourceVersion is checked to go forward, and a frame that carries
// `"sent":"MICROSECONDS"` (of the system's clock) is timed: the end prints percentiles of the delivery.
// --sample verifies N connections only, spread evenly over those that are not stalled: a server may serve
// them in the order in which they came. The first K connections are stalled: they read nothing,
// or --rate bytes a second. Every line names the CPU seconds this program has used: its own ceiling.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  bool open = true;
  bool stalled = false;
  bool verify = false;
  std::string pending;
  unsigned long long revision = 0;
};

struct Options {
  std::string host, port, path, token, cert, key, accept = "application/json";
  int count = 0, stalled = 0, rate = 0, sample = 0;
  bool verify = false;
};

unsigned long long g_bytes = 0, g_events = 0, g_disorder = 0;
int g_closed = 0;
// Delivery times in microseconds; bounded: beyond it the earliest ones tell enough.
std::vector<unsigned> g_delays;
constexpr size_t kDelaysMax = 4'000'000;
volatile std::sig_atomic_t g_stop = 0;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Blocking until the request is out, then non-blocking.
void Open(const Options& options, SSL_CTX* context, const addrinfo* address, Connection* connection) {
  connection->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0 || connect(connection->fd, address->ai_addr, address->ai_addrlen) != 0) Fail("connect");
  connection->ssl = SSL_new(context);
  SSL_set_fd(connection->ssl, connection->fd);
  if (SSL_connect(connection->ssl) != 1) Fail("handshake");
  std::string request = "GET " + options.path + " HTTP/1.1\r\nHost: " + options.host + "\r\n";
  if (!options.token.empty()) request += "Authorization: Bearer " + options.token + "\r\n";
  request += "User-Agent: watch-client\r\nAccept: " + options.accept + "\r\n\r\n";
  if (SSL_write(connection->ssl, request.data(), static_cast<int>(request.size())) <= 0) Fail("request");
  fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
}

bool Sampled(const Options& options, int i) {
  const int healthy = options.count - options.stalled;
  const int at = i - options.stalled;
  const auto before = [&](int n) { return static_cast<long long>(n) * options.sample / healthy; };
  return at >= 0 && before(at) != before(at + 1);
}

void CheckLine(Connection* connection, const std::string& line) {
  if (line.find("{\"type\":\"") == std::string::npos) return;
  g_events++;
  const size_t at = line.find("\"resourceVersion\":\"");
  if (at == std::string::npos) return;
  const unsigned long long revision = std::strtoull(line.c_str() + at + 19, nullptr, 10);
  if (revision <= connection->revision) g_disorder++;
  connection->revision = revision;
  const size_t sent = line.find("\"sent\":\"");
  if (sent == std::string::npos || g_delays.size() == kDelaysMax) return;
  const long long then = std::strtoll(line.c_str() + sent + 8, nullptr, 10);
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  const long long delay = std::chrono::duration_cast<std::chrono::microseconds>(clock).count() - then;
  // An initial ADDED event is as old as its object: not a delivery.
  if (delay >= 0 && line.find("\"type\":\"ADDED\"") == std::string::npos) {
    g_delays.push_back(static_cast<unsigned>(std::min<long long>(delay, 4'000'000'000)));
  }
}

double Percentile(double share) {
  if (g_delays.empty()) return 0;
  const size_t at = std::min(g_delays.size() - 1, static_cast<size_t>(share * static_cast<double>(g_delays.size())));
  std::nth_element(g_delays.begin(), g_delays.begin() + static_cast<long>(at), g_delays.end());
  return g_delays[at] / 1e3;
}

double OwnCpu() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Verify(Connection* connection, const char* data, size_t size) {
  connection->pending.append(data, size);
  size_t from = 0;
  for (size_t end; (end = connection->pending.find('\n', from)) != std::string::npos; from = end + 1) {
    CheckLine(connection, connection->pending.substr(from, end - from));
  }
  connection->pending.erase(0, from);
}

void Close(Connection* connection) {
  if (!connection->open) return;
  connection->open = false;
  g_closed++;
  close(connection->fd);
}

void Drain(const Options& options, Connection* connection, size_t most) {
  static char buffer[1 << 18];
  for (size_t taken = 0; taken < most && connection->open;) {
    const size_t want = std::min(sizeof(buffer), most - taken);
    long n = 0;
    if (connection->verify) {
      n = SSL_read(connection->ssl, buffer, static_cast<int>(want));
      if (n <= 0) {
        const int error = SSL_get_error(connection->ssl, static_cast<int>(n));
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) Close(connection);
        return;
      }
      Verify(connection, buffer, static_cast<size_t>(n));
    } else {
      // For TCP, MSG_TRUNC drops the bytes without copying them.
      n = recv(connection->fd, buffer, want, MSG_TRUNC);
      if (n == 0 || (n < 0 && errno != EAGAIN)) Close(connection);
      if (n <= 0) return;
    }
    g_bytes += static_cast<unsigned long long>(n);
    taken += static_cast<size_t>(n);
  }
}

Options Parse(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: watch-client HOST PORT COUNT PATH [--token T] [--verify] [--stalled K] [--rate BYTES]\n");
    std::exit(2);
  }
  Options options;
  options.host = arguments[1];
  options.port = arguments[2];
  options.count = std::atoi(arguments[3]);
  options.path = arguments[4];
  for (int i = 5; i < count; i++) {
    const std::string name = arguments[i];
    if (name == "--verify") options.verify = true;
    else if (i + 1 == count) std::exit(2);
    else if (name == "--token") options.token = arguments[++i];
    else if (name == "--stalled") options.stalled = std::atoi(arguments[++i]);
    else if (name == "--rate") options.rate = std::atoi(arguments[++i]);
    else if (name == "--sample") options.sample = std::atoi(arguments[++i]);
    else if (name == "--cert") options.cert = arguments[++i];
    else if (name == "--key") options.key = arguments[++i];
    else if (name == "--accept") options.accept = arguments[++i];
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = Parse(count, arguments);
  std::signal(SIGTERM, [](int) { g_stop = 1; });
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  addrinfo hints{}, *address = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &address) != 0) Fail("address");
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  if (!options.cert.empty() && (SSL_CTX_use_certificate_chain_file(context, options.cert.c_str()) != 1 ||
                                SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1)) {
    Fail("certificate");
  }
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections(static_cast<size_t>(options.count));
  for (size_t i = 0; i < connections.size(); i++) {
    Open(options, context, address, &connections[i]);
    connections[i].verify = options.verify || Sampled(options, static_cast<int>(i));
    connections[i].stalled = static_cast<int>(i) < options.stalled;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.ptr = &connections[i];
    if (!connections[i].stalled) epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
  }
  std::printf("ready %d\n", options.count);
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  double next = 1;
  std::vector<epoll_event> events(1024);
  while (g_stop == 0 && g_closed < options.count) {
    const int n = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < n; i++) Drain(options, static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr), SIZE_MAX);
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (now < next) continue;
    next += 1;
    if (options.rate > 0) {
      for (Connection& one : connections) if (one.stalled) Drain(options, &one, static_cast<size_t>(options.rate));
    }
    std::printf("t %.1f bytes %llu events %llu closed %d disorder %llu cpu %.3f\n", now, g_bytes, g_events, g_closed, g_disorder, OwnCpu());
    std::fflush(stdout);
  }
  std::printf("end bytes %llu events %llu closed %d disorder %llu cpu %.3f\n", g_bytes, g_events, g_closed, g_disorder, OwnCpu());
  if (!g_delays.empty()) {
    std::printf("delivery ms p50 %.2f p99 %.2f p99.9 %.2f max %.2f of %zu\n", Percentile(0.5), Percentile(0.99),
                Percentile(0.999), Percentile(1), g_delays.size());
  }
  return g_disorder == 0 ? 0 : 1;
}
