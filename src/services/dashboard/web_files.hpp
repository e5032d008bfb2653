#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/embedded.hpp"

namespace al::services::dashboard {

/// A file of the web application.
class WebFile {
 public:
  WebFile(std::string_view name, std::string_view gzip);

  [[nodiscard]] std::string_view content_type() const { return type_; }
  /// As it lies in the program: RFC 1952.
  [[nodiscard]] std::string_view gzip() const { return gzip_; }
  /// Inflated when it is first asked for, and kept. Throws Fault when it is no gzip: the build is not ours.
  [[nodiscard]] std::string const& plain() const;
  /// Strong, of the file as it is sent, in its quotes.
  [[nodiscard]] std::string etag(bool is_gzip) const;

 private:
  std::string_view const type_;
  std::string_view const gzip_;
  std::string const hash_;
  mutable std::once_flag once_;
  mutable std::string plain_;
};

/// The web application as the build put it into the program. Any thread.
class WebFiles {
 public:
  /// `files`: names are paths without a slash before them, texts are gzip. One of them is index.html: else the program
  /// was built without the application, and there are no pages.
  explicit WebFiles(std::span<EmbeddedFile const> files);

  /// By its path, such as /assets/index-abc.js; null when there is none. The page is none of them.
  [[nodiscard]] WebFile const* find(std::string_view path) const;
  /// The one page, with `nonce` wherever it has to stand. Nothing when there are no pages.
  [[nodiscard]] std::optional<std::string> page(std::string_view nonce) const;

 private:
  std::map<std::string, std::unique_ptr<WebFile>, std::less<>> files_;
  std::string page_;
};

/// The files of the web application of this build.
[[nodiscard]] std::span<EmbeddedFile const> web_application();

}  // namespace al::services::dashboard
