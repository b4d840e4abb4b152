"""The sentences in Korean of a repository's overview: what runs there, and what is locked."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "overview.link": "[이 저장소에서 실행 중인 작업과 잠금 모두 보기]({link})",
    "overview.title": "{repository}: 실행 중인 작업과 잠금",
    "overview.only": "{environment} 환경만",
    "overview.all": "모든 환경",
    "overview.contributions": "누가 무엇을 작성했는지",
    "overview.github": "GitHub에서 보기",
    "overview.locks": "잠금",
    "overview.no_locks": "잠긴 환경이 없습니다.",
    "overview.every": "모든 환경",
    "overview.unlock": "해제 명령",
    "overview.unlock_how": "풀 리퀘스트나 이슈의 댓글에, 또는 Slack에서 /shipmate 뒤에 씁니다. 다른 사람의 잠금은 --reason TEXT로 이유를 밝혀야 풀립니다.",
    "overview.under_way": "실행 중이거나 기다리는 작업",
    "overview.nobody": "실행 중이거나 기다리는 작업이 없습니다.",
    "overview.ahead": "대기 중, 앞에 {ahead}개",
    "overview.asked": "요청 시각",
    "overview.live": "환경",
    "overview.nothing_live": "아직 서비스 중인 것이 없습니다.",
    "overview.open": "열기",
    "overview.drift": "배포된 그대로가 아닙니다: {found}",
    "overview.ended": "최근 작업",
    "overview.none_ended": "끝난 작업이 아직 없습니다.",
    "overview.when": "끝난 시각",
    "overview.outcome": "결과",
    "overview.took": "걸린 시간",
    "overview.by": "요청한 사람",
    "overview.older": "이전 작업",
    "overview.newest": "최신 작업",
    "overview.nothing": "아직 요청된 것이 없습니다. 풀 리퀘스트에서 /deploy라고 말해 보세요.",
}
