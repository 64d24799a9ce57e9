// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/flags.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

class FlagsTest : public ::testing::Test {
 protected:
  std::optional<int> Parse(std::initializer_list<const char*> arguments) {
    std::vector<std::string> owned = {"loadgen"};
    owned.insert(owned.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : owned) argv.push_back(argument.data());
    argv.push_back(nullptr);
    flags_ = Flags();
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code =
        ParseFlags(static_cast<int>(owned.size()), argv.data(), flags_);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  // A usage error, explained in one line that begins with `what`.
  void ExpectRefused(std::initializer_list<const char*> arguments,
                     const std::string& what) {
    EXPECT_EQ(Parse(arguments), 2) << what;
    EXPECT_EQ(out_, "");
    EXPECT_TRUE(err_.starts_with("loadgen: " + what)) << err_;
    EXPECT_EQ(err_.find('\n'), err_.size() - 1) << err_;
  }

  Flags flags_;
  std::string out_;
  std::string err_;
};

TEST_F(FlagsTest, WithoutARateTheLoopIsClosed) {
  EXPECT_EQ(Parse({"--connections=8", "--pipeline=4"}), std::nullopt);
  EXPECT_TRUE(flags_.open.phases.empty());
  EXPECT_EQ(flags_.open.load.connections, 8);
  EXPECT_EQ(flags_.open.load.mode.depth, 4u);
  EXPECT_EQ(flags_.open.load.duration, absl::Seconds(5));
  EXPECT_FALSE(flags_.open.load.short_connections);
}

TEST_F(FlagsTest, TlsIsForTheAddressOrForAName) {
  EXPECT_EQ(Parse({"--connect=127.0.0.1:443"}), std::nullopt);
  EXPECT_FALSE(flags_.open.load.mode.target.tls.has_value());
  EXPECT_EQ(Parse({"--connect=127.0.0.1:443", "--tls"}), std::nullopt);
  EXPECT_EQ(flags_.open.load.mode.target.tls->host, "127.0.0.1");
  EXPECT_EQ(Parse({"--connect=[::1]:443", "--tls", "--insecure"}),
            std::nullopt);
  EXPECT_EQ(flags_.open.load.mode.target.tls->host, "::1");
  EXPECT_EQ(Parse({"--connect=unix:/x", "--tls", "--tls-name=server.test"}),
            std::nullopt);
  EXPECT_EQ(flags_.open.load.mode.target.tls->host, "server.test");
  ExpectRefused({"--connect=unix:/x", "--tls"}, "a Unix address has no name");
  ExpectRefused({"--ca=/x"}, "--ca, --insecure, --tls-name and --tls-resume");
  ExpectRefused({"--tls", "--ca=/x", "--insecure"}, "--insecure accepts");
  ExpectRefused({"--tls", "--ca=/nowhere"}, "");
}

TEST_F(FlagsTest, ARateIsOnePhase) {
  EXPECT_EQ(Parse({"--rate=20000", "--duration=7s", "--queue=5"}),
            std::nullopt);
  ASSERT_EQ(flags_.open.phases.size(), 1u);
  EXPECT_EQ(flags_.open.phases[0].per_second, 20'000u);
  EXPECT_EQ(flags_.open.phases[0].length, absl::Seconds(7));
  EXPECT_EQ(flags_.open.queue, 5u);
  EXPECT_EQ(flags_.open.arrivals, ArrivalKind::kUniform);
}

TEST_F(FlagsTest, TakesPhases) {
  EXPECT_EQ(Parse({"--phases=20000x5s,180000x60s", "--short"}), std::nullopt);
  ASSERT_EQ(flags_.open.phases.size(), 2u);
  EXPECT_EQ(flags_.open.phases[1].per_second, 180'000u);
  EXPECT_TRUE(flags_.open.load.short_connections);
}

TEST_F(FlagsTest, TakesASeedOrPicksOne) {
  EXPECT_EQ(Parse({"--rate=1", "--arrivals=poisson", "--seed=42"}),
            std::nullopt);
  EXPECT_EQ(flags_.open.arrivals, ArrivalKind::kPoisson);
  EXPECT_EQ(flags_.open.seed, 42u);
  EXPECT_EQ(Parse({"--rate=1", "--arrivals=poisson"}), std::nullopt);
  EXPECT_NE(flags_.open.seed, 0u);
}

TEST_F(FlagsTest, RefusesValuesThatAreNone) {
  ExpectRefused({"--rate=-1"}, "--rate=-1: expected a whole number from 0");
  ExpectRefused({"--rate=10000001"}, "--rate=10000001: expected");
  ExpectRefused({"--queue=0"}, "--queue=0: expected a whole number from 1");
  ExpectRefused({"--phases=20000"}, "the phase '20000' is not RATExDURATION");
  ExpectRefused({"--phases=1x1s,"}, "the phase '' is not RATExDURATION");
  ExpectRefused({"--rate=1", "--arrivals=bursts"},
                "arrivals are uniform or poisson, not 'bursts'");
  ExpectRefused({"--connect=nowhere"}, "");
}

TEST_F(FlagsTest, RefusesFlagsThatContradictEachOther) {
  ExpectRefused({"--rate=1", "--phases=1x1s"}, "--phases has the rates");
  ExpectRefused({"--duration=1s", "--phases=1x1s"},
                "--phases has the durations");
  ExpectRefused({"--rate=1", "--pipeline=2"}, "--pipeline is for a closed");
  ExpectRefused({"--phases=1x1s", "--pipeline=2"},
                "--pipeline is for a closed");
  ExpectRefused({"--short", "--pipeline=2"},
                "--pipeline is for connections that stay");
  ExpectRefused({"--arrivals=poisson"}, "--arrivals needs --rate");
  ExpectRefused({"--queue=7"}, "--queue needs --rate");
  ExpectRefused({"--rate=1", "--seed=7"}, "--seed needs --arrivals=poisson");
}

TEST_F(FlagsTest, RefusesWhatNeedsTooMuchMemory) {
  ExpectRefused({"--connections=100000", "--size=1000000"},
                "--connections times --size times --pipeline is more than");
  ExpectRefused({"--rate=1", "--connections=100000", "--queue=1000000"},
                "--connections times --queue is more than");
}

TEST_F(FlagsTest, TakesWorkersAndARamp) {
  EXPECT_EQ(Parse({"--workers=3", "--pin=1", "--ramp=2s"}), std::nullopt);
  EXPECT_EQ(flags_.open.load.workers, 3);
  EXPECT_EQ(flags_.open.load.first_cpu, 1);
  EXPECT_EQ(flags_.open.load.ramp, absl::Seconds(2));
  ExpectRefused({"--workers=0"}, "--workers=0: expected a whole number from 1");
  ExpectRefused({"--workers=5", "--connections=4"},
                "--workers is more than --connections");
  ExpectRefused({"--ramp=1s", "--short"},
                "--ramp is for connections that stay");
  ExpectRefused({"--ramp=-1s"}, "--ramp=-1s: expected a duration");
  ExpectRefused({"--ramp=25h"}, "--ramp, --warmup and --duration are at most");
  ExpectRefused({"--duration=inf"}, "--ramp, --warmup and --duration");
}

TEST_F(FlagsTest, TakesUdp) {
  EXPECT_EQ(Parse({"--protocol=udp", "--loss-timeout=200ms", "--pipeline=4",
                   "--size=12", "--fail-if=lost>0"}),
            std::nullopt);
  EXPECT_EQ(flags_.open.load.mode.protocol, Protocol::kUdp);
  EXPECT_EQ(flags_.open.load.mode.loss_timeout, absl::Milliseconds(200));
  EXPECT_EQ(flags_.open.load.mode.depth, 4u);
  ExpectRefused({"--protocol=tcp"},
                "--protocol is echo or udp or http1 or h2, not 'tcp'");
  ExpectRefused({"--loss-timeout=2s"}, "--loss-timeout needs --protocol=udp");
  ExpectRefused({"--protocol=udp", "--loss-timeout=0"},
                "--loss-timeout must be positive");
  ExpectRefused({"--protocol=udp", "--tls"}, "--tls is for streams");
  ExpectRefused({"--protocol=udp", "--short"}, "--short is for streams");
  ExpectRefused({"--protocol=udp", "--connect=unix:/x"},
                "--protocol=udp needs an IP address");
  ExpectRefused({"--protocol=udp", "--size=11"}, "--size by UDP is from 12 to");
  ExpectRefused({"--protocol=udp", "--size=65508"},
                "--size by UDP is from 12 to 65507");
}

TEST_F(FlagsTest, AUrlIsOfHttp) {
  EXPECT_EQ(Parse({"--connect=http://127.0.0.1:8080/a?b"}), std::nullopt);
  const Mode& mode = flags_.open.load.mode;
  EXPECT_EQ(mode.protocol, Protocol::kHttp1);
  EXPECT_EQ(mode.target.address.ToString(), "127.0.0.1:8080");
  EXPECT_EQ(mode.http.authority, "127.0.0.1:8080");
  EXPECT_EQ(mode.http.target, "/a?b");
  EXPECT_EQ(mode.http.method, http::Method::kGet);
  EXPECT_FALSE(mode.target.tls.has_value());
  EXPECT_FALSE(mode.http.close);
  EXPECT_EQ(Parse({"--connect=https://localhost", "--protocol=h2", "--insecure",
                   "--streams=7"}),
            std::nullopt);
  EXPECT_EQ(mode.protocol, Protocol::kHttp2);
  EXPECT_EQ(mode.target.address.port(), 443);
  EXPECT_TRUE(mode.target.address.is_loopback());
  EXPECT_EQ(mode.http.authority, "localhost");
  EXPECT_EQ(mode.target.tls->host, "localhost");
  EXPECT_EQ(mode.target.tls->alpn, "h2");
  EXPECT_EQ(mode.depth, 7u);
  ExpectRefused({"--connect=ftp://x/"}, "");
  ExpectRefused({"--connect=http://x.invalid/"}, "looking up x.invalid: ");
  ExpectRefused({"--connect=http://x/", "--protocol=udp"},
                "--protocol=udp has no URL");
  ExpectRefused({"--connect=http://x/", "--tls"}, "--tls contradicts http://");
  ExpectRefused({"--connect=http://x/", "--path=/b"}, "the URL has a path");
}

TEST_F(FlagsTest, HttpToAnAddress) {
  EXPECT_EQ(Parse({"--connect=unix:/x", "--protocol=http1", "--path=/b",
                   "--method=POST", "--header=A: b", "--header", "C:d",
                   "--body-size=10", "--short", "--compare-bodies"}),
            std::nullopt);
  const HttpRequest& request = flags_.open.load.mode.http;
  EXPECT_EQ(request.authority, "localhost");
  EXPECT_EQ(request.target, "/b");
  EXPECT_EQ(request.method, http::Method::kPost);
  EXPECT_EQ(request.headers.Find("a"), "b");
  EXPECT_EQ(request.headers.Find("c"), "d");
  EXPECT_EQ(request.headers.Find("user-agent"), "ringway-loadgen");
  EXPECT_EQ(request.body_bytes, 10u);
  EXPECT_TRUE(request.close);
  EXPECT_TRUE(request.compare_bodies);
  const char* http1 = "--protocol=http1";
  EXPECT_EQ(Parse({http1, "--header=User-Agent: me"}), std::nullopt);
  EXPECT_EQ(request.headers.Find("user-agent"), "me");
  EXPECT_EQ(request.headers.Count("user-agent"), 1u);
  ExpectRefused({http1, "--path=b"}, "--path must begin with /");
  ExpectRefused({http1, "--path=/ b"}, "");
  ExpectRefused({http1, "--method=LOOK"}, "'LOOK' is no method");
  ExpectRefused({http1, "--method=CONNECT"}, "");
  ExpectRefused({http1, "--header=A"}, "the header 'A' is not NAME: VALUE");
  ExpectRefused({http1, "--header=A b: c"}, "");
  ExpectRefused({http1, "--header=Transfer-Encoding: chunked"}, "");
  ExpectRefused({http1, "--size=100"}, "--size is for echo");
  ExpectRefused({http1, "--streams=2"}, "--streams needs --protocol=h2");
  ExpectRefused({http1, "--compare-bodies", "--verify=false"},
                "--compare-bodies needs --verify");
  ExpectRefused({"--protocol=h2", "--pipeline=2"}, "--pipeline is for others");
  ExpectRefused({"--method=POST"}, "--path, --method, --header, --body-size");
  ExpectRefused({"--header=A: b"}, "--path, --method, --header, --body-size");
  ExpectRefused({http1, "--connections=10000", "--body-size=1000000"},
                "--connections times --pipeline, with --body-size, need more");
}

TEST_F(FlagsTest, TakesThresholdsInOneFlagOrInSeveral) {
  EXPECT_EQ(Parse({"--fail-if=p99>2ms,errors>0", "--fail-if", "rate<1000"}),
            std::nullopt);
  ASSERT_EQ(flags_.fail_if.size(), 3u);
  EXPECT_EQ(flags_.fail_if[1].text, "errors>0");
  EXPECT_EQ(flags_.fail_if[2].text, "rate<1000");
  ExpectRefused({"--fail-if=p99>2"}, "the threshold 'p99>2': a time needs a");
  ExpectRefused({"--fail-if="}, "the threshold '': it is empty");
  ExpectRefused({"--fail-if=cpu>3us"}, "the threshold 'cpu>3us': the server's");
  ExpectRefused({"--fail-if=dropped>0"}, "the threshold 'dropped>0': only an");
  EXPECT_EQ(Parse({"--fail-if=dropped>0", "--rate=1"}), std::nullopt);
  EXPECT_EQ(Parse({"--fail-if=cpu>3us", "--server-pid=1"}), std::nullopt);
}

TEST_F(FlagsTest, TakesFilesToWrite) {
  EXPECT_EQ(Parse({"--output=/x/a.json", "--csv=/x/a.csv", "--plot=/x/a.svg"}),
            std::nullopt);
  EXPECT_EQ(flags_.files.json, "/x/a.json");
  EXPECT_EQ(flags_.files.csv, "/x/a.csv");
  EXPECT_EQ(flags_.files.plot, "/x/a.svg");
}

TEST_F(FlagsTest, HelpListsEveryFlag) {
  EXPECT_EQ(Parse({"--help"}), 0);
  for (const char* flag : {"--connect=",  "--connections=",   "--short=",
                           "--size=",     "--pipeline=",      "--rate=",
                           "--phases=",   "--arrivals=",      "--seed=",
                           "--queue=",    "--duration=",      "--warmup=",
                           "--pin=",      "--verify=",        "--server-pid=",
                           "--json=",     "--output=",        "--csv=",
                           "--plot=",     "--fail-if=",       "--quiet=",
                           "--compare=",  "--workers=",       "--ramp=",
                           "--protocol=", "--loss-timeout=",  "--path=",
                           "--method=",   "--header=",        "--body-size=",
                           "--streams=",  "--compare-bodies="}) {
    EXPECT_NE(out_.find(flag), std::string::npos) << flag << " in\n" << out_;
  }
}

}  // namespace
}  // namespace ringway::loadgen
