#include "embedded/web_application.hpp"

#include "services/dashboard/web_files.hpp"

namespace al::services::dashboard {

std::span<EmbeddedFile const> web_application() { return embedded::web_application(); }

}  // namespace al::services::dashboard
