"""The stream of changes of contacts."""

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class ContactChanges(Construct):
    """Every change of a contact, in order, to the function that keeps count of them.

    What cannot be worked in is tried ten times, in ever smaller batches, and then noted in
    `failures`, so that the next changes are not held up.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        contacts: dynamodb.ITable,
        function: lambda_.Function,
        failures: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        lambda_.EventSourceMapping(
            self,
            "Feed",
            target=function,
            event_source_arn=contacts.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            max_batching_window=cdk.Duration.seconds(1),
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            retry_attempts=10,
            on_failure=sources.SqsDlq(failures),
        )
        Validations.of(failures).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="It is a dead-letter queue: that of the stream, where the rule looks not.",
            )
        )
