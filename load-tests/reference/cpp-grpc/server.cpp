// Reference server: grpc++'s asynchronous queue with bytes as messages, so that no generated code slows it down,
// and the same decisions as the others. One thread of ours; the library has its own. Prints `listening PORT` and
// ends when its standard input does.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "../lazy-policy.h"

namespace {

constexpr int kMessageBytesMax = 64 * 1024 * 1024;
// Calls that wait to be taken: one is replaced as soon as it is, a few let a burst in at once.
constexpr int kWaitingCalls = 64;

using Reply = grpc::ByteBuffer;

class Answers {
 public:
  Answers() {
    lazy_make_answers(&encoded_);
    for (int pick = 0; pick < LAZY_ENDPOINTS; pick++) {
      request_headers_[pick] = Made(encoded_.request_headers[pick]);
      check_[pick] = Made(encoded_.check[pick]);
    }
    for (int phase = 2; phase < 8; phase++) unchanged_[phase] = Made(encoded_.unchanged[phase]);
  }

  // Null: the message is broken.
  const Reply *To(bool is_check, const grpc::Slice &message) const {
    const uint8_t *bytes = message.begin();
    if (is_check) return Find(lazy_check(&encoded_, bytes, message.size()), encoded_.check, check_);
    const lazy_answer *said = lazy_process(&encoded_, bytes, message.size());
    if (said >= encoded_.unchanged && said < encoded_.unchanged + 8)
      return &unchanged_[said - encoded_.unchanged];
    return Find(said, encoded_.request_headers, request_headers_);
  }

 private:
  // The library writes the prefix itself.
  static Reply Made(const lazy_answer &answer) {
    grpc::Slice slice(answer.bytes + LAZY_GRPC_PREFIX_BYTES, answer.length - LAZY_GRPC_PREFIX_BYTES);
    return Reply(&slice, 1);
  }

  static const Reply *Find(const lazy_answer *said, const lazy_answer *first,
                           const std::array<Reply, LAZY_ENDPOINTS> &made) {
    return said == nullptr ? nullptr : &made[said - first];
  }

  lazy_answers encoded_;
  std::array<Reply, LAZY_ENDPOINTS> request_headers_, check_;
  std::array<Reply, 8> unchanged_;
};

class Call {
 public:
  Call(grpc::AsyncGenericService *service, grpc::ServerCompletionQueue *queue, const Answers *answers)
      : service_(service), queue_(queue), answers_(answers), stream_(&context_) {
    service_->RequestCall(&context_, &stream_, queue_, queue_, this);
  }

  // The operation under way is done.
  void Proceed(bool ok) {
    switch (state_) {
      case State::kWaiting:
        if (!ok) return End();
        new Call(service_, queue_, answers_);
        return Taken();
      case State::kReading:
        if (!ok) return Finish(grpc::Status::OK);
        return Decide();
      case State::kWriting:
        if (!ok) return Finish(grpc::Status::OK);
        return Read();
      case State::kFinishing:
        return End();
    }
  }

 private:
  enum class State { kWaiting, kReading, kWriting, kFinishing };

  void Taken() {
    if (context_.method() == "/envoy.service.ext_proc.v3.ExternalProcessor/Process") return Read();
    is_check_ = context_.method() == "/envoy.service.auth.v3.Authorization/Check";
    if (is_check_) return Read();
    Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""));
  }

  void Read() {
    state_ = State::kReading;
    stream_.Read(&message_, this);
  }

  void Decide() {
    grpc::Slice bytes;
    const bool read = message_.TrySingleSlice(&bytes).ok() || message_.DumpToSingleSlice(&bytes).ok();
    const Reply *reply = read ? answers_->To(is_check_, bytes) : nullptr;
    if (reply == nullptr) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, ""));
    if (is_check_) {
      state_ = State::kFinishing;
      stream_.WriteAndFinish(*reply, grpc::WriteOptions(), grpc::Status::OK, this);
    } else {
      state_ = State::kWriting;
      stream_.Write(*reply, this);
    }
  }

  void Finish(const grpc::Status &status) {
    state_ = State::kFinishing;
    stream_.Finish(status, this);
  }

  void End() { delete this; }

  grpc::AsyncGenericService *service_;
  grpc::ServerCompletionQueue *queue_;
  const Answers *answers_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  State state_ = State::kWaiting;
  bool is_check_ = false;
};

}  // namespace

int main() {
  const Answers answers;
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterAsyncGenericService(&service);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  std::printf("listening %d\n", port);
  std::fflush(stdout);
  for (int waiting = 0; waiting < kWaitingCalls; waiting++) new Call(&service, queue.get(), &answers);
  std::thread([] {
    char ignored[64];
    while (read(0, ignored, sizeof ignored) > 0) {
    }
    _exit(0);
  }).detach();
  void *tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<Call *>(tag)->Proceed(ok);
  return 0;
}
