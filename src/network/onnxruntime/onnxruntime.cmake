# ONNX Runtime, for the graphs of .onnx files: sets onnxruntime_sources. Only its headers are used to
# build; library.c opens the library itself, and says why.
i3d_optional(ONNXRUNTIME libonnxruntime)
if(I3D_HAVE_ONNXRUNTIME)
    set(onnxruntime_sources onnxruntime/library.c onnxruntime/session.c onnxruntime/shape.c)
    set_source_files_properties(onnxruntime/library.c PROPERTIES COMPILE_DEFINITIONS
        "I3D_ONNXRUNTIME_LIBRARY=\"${ONNXRUNTIME_LIBDIR}/libonnxruntime.so\"")
else()
    set(onnxruntime_sources onnxruntime/onnxruntime_none.c)
endif()
