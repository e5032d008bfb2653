# al_embed_web(<target> <symbol>)
# Builds the web application of web/, once for all presets, and puts it into <target>. It is built again when one of its
# sources changes; its tests, and what the build itself writes among the sources, are none.
function(al_embed_web target symbol)
  set(web "${CMAKE_SOURCE_DIR}/web")
  set(output "${CMAKE_SOURCE_DIR}/build/web")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${web}/src/*" "${web}/public/*" "${web}/scripts/*")
  list(FILTER sources EXCLUDE REGEX "\\.test\\.tsx?$|/test_setup\\.ts$|/src/api/(bodies\\.json|schema\\.d\\.ts)$")
  file(GLOB settings CONFIGURE_DEPENDS "${web}/index.html" "${web}/package.json" "${web}/package-lock.json"
       "${web}/vite.config.ts" "${web}/tsconfig*.json")
  add_custom_command(
      OUTPUT "${output}/built"
      COMMAND "${CMAKE_SOURCE_DIR}/scripts/build_web" "${output}/dist"
      COMMAND "${CMAKE_COMMAND}" -E touch "${output}/built"
      DEPENDS "${CMAKE_SOURCE_DIR}/scripts/build_web" ${sources} ${settings}
      COMMENT "Building the web application"
      VERBATIM)
  al_embed_folder(${target} ${symbol} "${output}/dist" "${output}/built")
endfunction()
