# The engine's sources: the plan, which a test runs without a card, and what stands between it and one.
set(cuda_plan_sources cuda.c plan.c decide.c layout.c place.c forward.c backward.c apply.c)
set(cuda_card_sources card_cuda.c cudnn.c cudnn_graph.c descriptor.c choices.c)
list(TRANSFORM cuda_plan_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM cuda_card_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
