/** Names that the API and JSON Schema give to members, and no author of a body does. */
const ORDINARY: ReadonlySet<string> = new Set(
  `id object created model choices index delta message role content finish_reason logprobs refusal tool_calls
  function name arguments type usage system_fingerprint service_tier messages stream text tools functions
  tool_choice tool_call_id function_call custom input description parameters properties required items enum const
  default anyOf oneOf allOf additionalProperties strict format title examples minimum maximum minLength maxLength
  minItems maxItems pattern nullable $schema $ref $defs definitions json_schema schema response_format metadata
  max_tokens max_completion_tokens temperature top_p n seed stop user stream_options include_usage
  parallel_tool_calls reasoning_effort reasoning presence_penalty frequency_penalty logit_bias top_logprobs store
  modalities prediction verbosity safety_identifier prompt_cache_key image_url url detail input_audio data file
  file_data file_id filename audio annotations cache_control thinking signature prompt_tokens completion_tokens
  total_tokens prompt_tokens_details completion_tokens_details cached_tokens audio_tokens reasoning_tokens
  accepted_prediction_tokens rejected_prediction_tokens error message code param citations prompt_filter_results
  content_filter_results content_filter_offsets prompt_index filtered severity detected url_citation start_index
  end_index user_id cited_text variables input_schema tool_use_id is_error logprob token bytes x_groq queue_time
  prompt_time completion_time total_time`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

/** Whether a member's name says nothing by itself. */
export function isOrdinaryName(name: string): boolean {
  return ORDINARY.has(name);
}
