"""The sentences in Korean of the demo: what its people do, what is seen, and where to look round."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "demo.no_engine": "응답하는 Docker 엔진이 없어 로컬 프로세스로 빌드하고 실행합니다. 시험용입니다.",
    "demo.install_engine": "실제로 쓰려면 Docker를 설치하고 시작하세요: https://docs.docker.com/engine/install/",
    "demo.engine": "Docker 엔진 {version}이(가) 응답합니다.",
    "demo.own_base": "베이스 이미지를 받을 수 없어 이 컴퓨터의 Python {version}(으)로 하나 만듭니다 (docker import).",
    "demo.pushes": "{person}이(가) main에 푸시합니다",
    "demo.check_run": "체크 런 “{name}” ({sha})",
    "demo.comments": "{person}이(가) #{number}에 {command} 댓글을 답니다. 그동안 누군가 서비스를 계속 사용합니다",
    "demo.requests": "그동안의 요청: {answered}, 실패: {failed}",
    "demo.requests_failed": "전환하는 동안 요청 {asked}개 중 {failed}개가 실패했습니다",
    "demo.serves": "{url} 응답: {line}",
    "demo.serves_nothing": "{url}이(가) 아무것도 응답하지 않습니다",
    "demo.serves_other": "{url}이(가) 버전 {version}을(를) 서비스하지 않습니다",
    "demo.reactions": "{command}에 달린 반응: {reactions}",
    "demo.comment": "{person}의 댓글: {line}",
    "demo.links_accounts": "{person}이(가) /shipmate link를 입력하고 GitHub에 로그인해 동의합니다",
    "demo.types": "{person}이(가) #deploys에 /shipmate {command}를 입력합니다",
    "demo.types_here": "{person}이(가) /shipmate {command}를 입력합니다",
    "demo.answered": "{ms:.0f} ms 뒤에 응답했고, 명령은 디스크에 기록되었습니다",
    "demo.message_says": "이제 메시지 내용: {line}",
    "demo.slack_says": "Slack 메시지: {line}",
    "demo.whispered": "{person}에게만 보이는 글: {line}",
    "demo.in_thread": "스레드: {line}",
    "demo.wait.check_run": "{repository}의 체크 런",
    "demo.wait.reaction": "댓글의 반응",
    "demo.wait.thread": "Slack 스레드",
    "demo.wait.words": "Slack의 답",
    "demo.label.serves": "{repository} 서비스 {url}",
    "demo.label.log": "{repository} {sha} 로그",
    "demo.label.overview": "{repository} 개요",
    "demo.label.github": "GitHub (시뮬레이션)      {url}",
    "demo.label.slack": "Slack (시뮬레이션)       {url}",
    "demo.label.server": "서버                     {url}   로그 {log}",
    "demo.wrong": "잘못됨: {what}",
    "demo.right": "모든 일이 잘되었습니다.",
    "demo.stays": "계속 실행 중이니 둘러보세요. Ctrl-C를 누르면 끝납니다.",
    "demo.try": (
        "브라우저의 GitHub(시뮬레이션)에서 풀 리퀘스트에 이렇게 적어 보세요: /status, /why, /rollback, /lock production, "
        "/deplyo …\nSlack(시뮬레이션)에서는 /shipmate deploy {repository}. 읽기만 할 수 있는 bob으로는 무엇이 어떻게 "
        "거절되는지 볼 수 있습니다."
    ),
    "demo.stopped": "데모를 계속할 수 없습니다: {reason}",
}
