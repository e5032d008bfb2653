# al_embed(<target> <symbol> <files...>)
# Puts the files into <target>, as al::embedded::<symbol>(), sorted by name. Include "embedded/<symbol>.hpp".
# The generator runs again when a file, the list of files or the script changes.
# `al_generated` builds all generated sources and nothing else.
add_custom_target(al_generated)

function(al_embed target symbol)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(directory "${CMAKE_BINARY_DIR}/generated/${target}")
  set(list "${directory}/${symbol}.list")
  set(source "${directory}/embedded/${symbol}.cpp")
  set(header "${directory}/embedded/${symbol}.hpp")

  list(JOIN ARGN "\n" lines)
  file(CONFIGURE OUTPUT "${list}" CONTENT "${lines}\n" @ONLY)
  add_custom_command(
      OUTPUT "${source}" "${header}"
      COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/embed.py"
              --symbol "${symbol}" --list "${list}" --source "${source}" --header "${header}"
      DEPENDS "${CMAKE_SOURCE_DIR}/scripts/embed.py" "${list}" ${ARGN}
      COMMENT "Embedding ${symbol}"
      VERBATIM)
  target_sources(${target} PRIVATE "${source}" "${header}")
  add_custom_target(${target}_${symbol}_generated DEPENDS "${source}" "${header}")
  add_dependencies(al_generated ${target}_${symbol}_generated)
  set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_include_directories(${target} PUBLIC "${directory}")
endfunction()
